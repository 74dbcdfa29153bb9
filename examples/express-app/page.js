const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** A page from a template: values are escaped for text and for quoted attributes. */
export function page(parts, ...values) {
  const body = String.raw(
    { raw: parts },
    ...values.map((value) =>
      String(value ?? '').replace(/[&<>"']/g, (character) => ENTITIES[character]),
    ),
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Express example</title>
<body>${body}</body>
</html>`
}
