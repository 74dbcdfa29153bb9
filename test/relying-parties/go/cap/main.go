// hashicorp/cap, as its oidc package documentation has the authorization code flow.
package main

import (
	"context"
	"log"
	"net/http"
	"time"

	"gatehouse.test/relying-parties/app"
	"github.com/hashicorp/cap/oidc"
)

func main() {
	ctx := context.Background()
	config, err := oidc.NewConfig(
		app.Issuer, app.ClientID, oidc.ClientSecret(app.ClientSecret),
		[]oidc.Alg{oidc.RS256}, []string{app.RedirectURI},
	)
	if err != nil {
		log.Fatal(err)
	}
	provider, err := oidc.NewProvider(config)
	if err != nil {
		log.Fatal(err)
	}
	defer provider.Done()
	var asked oidc.Request
	var person map[string]any

	http.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		request, err := oidc.NewRequest(
			2*time.Minute, app.RedirectURI, oidc.WithScopes("openid", "profile", "email"),
		)
		if app.Failed(w, err) {
			return
		}
		asked = request
		away, err := provider.AuthURL(ctx, request)
		if !app.Failed(w, err) {
			http.Redirect(w, r, away, http.StatusFound)
		}
	})
	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		token, err := provider.Exchange(ctx, asked, query.Get("state"), query.Get("code"))
		if app.Failed(w, err) {
			return
		}
		var known, info map[string]any
		if app.Failed(w, token.IDToken().Claims(&known)) {
			return
		}
		sub, _ := known["sub"].(string)
		err = provider.UserInfo(ctx, token.StaticTokenSource(), sub, &info)
		if !app.Failed(w, err) {
			person = info
			http.Redirect(w, r, "/me", http.StatusFound)
		}
	})
	http.HandleFunc("/me", func(w http.ResponseWriter, _ *http.Request) {
		app.Show(w, person, person != nil)
	})
	http.HandleFunc("/logout", func(w http.ResponseWriter, r *http.Request) {
		person = nil
		http.Redirect(w, r, "/", http.StatusFound)
	})
	app.Serve()
}
