// go-oidc with golang.org/x/oauth2, as its example/userinfo and example/idtoken have it.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"

	"gatehouse.test/relying-parties/app"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

func main() {
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, app.Issuer)
	if err != nil {
		log.Fatal(err)
	}
	config := oauth2.Config{
		ClientID:     app.ClientID,
		ClientSecret: app.ClientSecret,
		Endpoint:     provider.Endpoint(),
		RedirectURL:  app.RedirectURI,
		Scopes:       app.Scopes,
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: app.ClientID})
	var state, nonce, idToken string
	var token *oauth2.Token

	http.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		state, nonce = app.Random(), app.Random()
		http.Redirect(w, r, config.AuthCodeURL(state, oidc.Nonce(nonce)), http.StatusFound)
	})
	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("state") != state {
			http.Error(w, "state did not match", http.StatusBadRequest)
			return
		}
		fresh, err := config.Exchange(ctx, r.URL.Query().Get("code"))
		if app.Failed(w, err) {
			return
		}
		raw, _ := fresh.Extra("id_token").(string)
		verified, err := verifier.Verify(ctx, raw)
		if app.Failed(w, err) {
			return
		}
		if verified.Nonce != nonce {
			app.Failed(w, errors.New("nonce did not match"))
			return
		}
		token, idToken = fresh, raw
		http.Redirect(w, r, "/me", http.StatusFound)
	})
	http.HandleFunc("/me", func(w http.ResponseWriter, _ *http.Request) {
		if token == nil {
			app.Show(w, nil, false)
			return
		}
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if !app.Failed(w, err) {
			app.Show(w, info, true)
		}
	})
	http.HandleFunc("/refresh", func(w http.ResponseWriter, r *http.Request) {
		spent := &oauth2.Token{RefreshToken: token.RefreshToken}
		fresh, err := config.TokenSource(ctx, spent).Token()
		if !app.Failed(w, err) {
			token = fresh
			http.Redirect(w, r, "/me", http.StatusFound)
		}
	})
	http.HandleFunc("/logout", func(w http.ResponseWriter, r *http.Request) {
		token = nil
		http.Redirect(w, r, app.EndSessionURL(idToken), http.StatusFound)
	})
	app.Serve()
}
