/** How long a page asks to wait before another code (UX-26); mail caps bound it in earnest. */
export const RESEND_SECONDS = 30
