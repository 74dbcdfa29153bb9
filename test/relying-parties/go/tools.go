//go:build tools

// Package tools pins the programs that are parties as they are.
package tools

import _ "github.com/oauth2-proxy/oauth2-proxy/v7"
