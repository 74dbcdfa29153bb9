// Package app is what every program here has: its settings, and one person's session in memory.
package app

import (
	"crypto/rand"
	"encoding/json"
	"log"
	"net/http"
	"net/url"
	"os"
)

// What `gatehouse client create` printed, and where this app listens.
var (
	Issuer       = os.Getenv("OIDC_ISSUER")
	ClientID     = os.Getenv("OIDC_CLIENT_ID")
	ClientSecret = os.Getenv("OIDC_CLIENT_SECRET")
	RedirectURI  = os.Getenv("OIDC_REDIRECT_URI")
	Origin       = os.Getenv("ORIGIN")
	port         = os.Getenv("PORT")
)

// Scopes that every program asks for.
var Scopes = []string{"openid", "profile", "email", "offline_access"}

// Random is a value for state or nonce.
func Random() string { return rand.Text() }

// Show answers with JSON, or 401 without a person.
func Show(w http.ResponseWriter, person any, known bool) {
	if !known {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("content-type", "application/json")
	_ = json.NewEncoder(w).Encode(person)
}

// Failed answers with the error, if there is one.
func Failed(w http.ResponseWriter, err error) bool {
	if err != nil {
		log.Print(err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
	return err != nil
}

// EndSessionURL is for RP-initiated logout.
func EndSessionURL(idToken string) string {
	sent := url.Values{"id_token_hint": {idToken}, "post_logout_redirect_uri": {Origin + "/"}}
	return Issuer + "/session/end?" + sent.Encode()
}

// Serve listens until the program is ended.
func Serve() {
	http.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("signed out"))
	})
	log.Fatal(http.ListenAndServe("localhost:"+port, nil))
}
