// zitadel/oidc as a relying party, as its example/client/app has it.
package main

import (
	"context"
	"log"
	"net/http"
	"time"

	"gatehouse.test/relying-parties/app"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	httphelper "github.com/zitadel/oidc/v3/pkg/http"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

func main() {
	ctx := context.Background()
	key := []byte("test1234test1234")
	cookies := httphelper.NewCookieHandler(key, key, httphelper.WithUnsecure())
	provider, err := rp.NewRelyingPartyOIDC(
		ctx, app.Issuer, app.ClientID, app.ClientSecret, app.RedirectURI, app.Scopes,
		rp.WithCookieHandler(cookies),
		rp.WithVerifierOpts(rp.WithIssuedAtOffset(5*time.Second)),
	)
	if err != nil {
		log.Fatal(err)
	}
	var person *oidc.UserInfo
	var tokens *oidc.Tokens[*oidc.IDTokenClaims]
	var idToken string

	http.Handle("/login", rp.AuthURLHandler(app.Random, provider))
	signedIn := func(
		w http.ResponseWriter, r *http.Request, given *oidc.Tokens[*oidc.IDTokenClaims],
		_ string, _ rp.RelyingParty, info *oidc.UserInfo,
	) {
		person, tokens, idToken = info, given, given.IDToken
		http.Redirect(w, r, "/me", http.StatusFound)
	}
	http.Handle("/callback", rp.CodeExchangeHandler(rp.UserinfoCallback(signedIn), provider))
	http.HandleFunc("/me", func(w http.ResponseWriter, _ *http.Request) {
		app.Show(w, person, person != nil)
	})
	http.HandleFunc("/refresh", func(w http.ResponseWriter, r *http.Request) {
		fresh, err := rp.RefreshTokens[*oidc.IDTokenClaims](ctx, provider, tokens.RefreshToken, "", "")
		if !app.Failed(w, err) {
			tokens = fresh
			http.Redirect(w, r, "/me", http.StatusFound)
		}
	})
	http.HandleFunc("/logout", func(w http.ResponseWriter, r *http.Request) {
		person = nil
		away, err := rp.EndSession(ctx, provider, idToken, app.Origin+"/", "", "", nil)
		if !app.Failed(w, err) {
			http.Redirect(w, r, away.String(), http.StatusFound)
		}
	})
	app.Serve()
}
