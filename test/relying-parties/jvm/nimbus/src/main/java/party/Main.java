package party;

import com.nimbusds.oauth2.sdk.AuthorizationCodeGrant;
import com.nimbusds.oauth2.sdk.AuthorizationGrant;
import com.nimbusds.oauth2.sdk.RefreshTokenGrant;
import com.nimbusds.oauth2.sdk.ResponseType;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.id.State;
import com.nimbusds.oauth2.sdk.pkce.CodeChallengeMethod;
import com.nimbusds.oauth2.sdk.pkce.CodeVerifier;
import com.nimbusds.openid.connect.sdk.AuthenticationRequest;
import com.nimbusds.openid.connect.sdk.AuthenticationResponseParser;
import com.nimbusds.openid.connect.sdk.LogoutRequest;
import com.nimbusds.openid.connect.sdk.Nonce;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponseParser;
import com.nimbusds.openid.connect.sdk.UserInfoRequest;
import com.nimbusds.openid.connect.sdk.UserInfoResponse;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.token.OIDCTokens;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import com.nimbusds.jose.JWSAlgorithm;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/** Login with PKCE, userinfo, refresh and logout, as the guides of the SDK have them; for one person. */
public class Main {
    private static final String ORIGIN = System.getenv("ORIGIN");
    private static final URI CALLBACK = URI.create(System.getenv("OIDC_REDIRECT_URI"));
    private static final ClientID CLIENT = new ClientID(System.getenv("OIDC_CLIENT_ID"));
    private static final Secret SECRET = new Secret(System.getenv("OIDC_CLIENT_SECRET"));

    private final OIDCProviderMetadata provider;
    private final State state = new State();
    private final Nonce nonce = new Nonce();
    private final CodeVerifier verifier = new CodeVerifier();
    private OIDCTokens tokens;

    private Main() throws Exception {
        provider = OIDCProviderMetadata.resolve(new Issuer(System.getenv("OIDC_ISSUER")));
    }

    public static void main(String[] args) throws Exception {
        var app = new Main();
        var port = Integer.parseInt(System.getenv("PORT"));
        var server = HttpServer.create(new InetSocketAddress("localhost", port), 0);
        server.createContext("/", (exchange) -> {
            try (exchange) {
                app.answer(exchange);
            } catch (Exception error) {
                error.printStackTrace();
                exchange.sendResponseHeaders(500, -1);
            }
        });
        server.start();
    }

    private void answer(HttpExchange exchange) throws Exception {
        var uri = exchange.getRequestURI();
        switch (uri.getPath()) {
            case "/login" -> leave(exchange, login());
            case "/callback" -> {
                callback(URI.create(ORIGIN + uri));
                leave(exchange, URI.create(ORIGIN + "/me"));
            }
            case "/me" -> show(exchange, tokens == null ? 401 : 200, tokens == null ? "{}" : person());
            case "/refresh" -> {
                var refresh = new RefreshTokenGrant(tokens.getRefreshToken());
                tokens = tokensFor(refresh);
                leave(exchange, URI.create(ORIGIN + "/me"));
            }
            case "/logout" -> leave(exchange, logout());
            default -> show(exchange, 200, "signed out");
        }
    }

    private URI login() {
        var scope = new Scope("openid", "email", "offline_access");
        return new AuthenticationRequest.Builder(ResponseType.CODE, scope, CLIENT, CALLBACK)
                .endpointURI(provider.getAuthorizationEndpointURI())
                .state(state).nonce(nonce)
                .codeChallenge(verifier, CodeChallengeMethod.S256)
                .build().toURI();
    }

    private void callback(URI answer) throws Exception {
        var response = AuthenticationResponseParser.parse(answer);
        if (!response.indicatesSuccess() || !state.equals(response.getState())) {
            throw new IllegalStateException(answer.toString());
        }
        var code = response.toSuccessResponse().getAuthorizationCode();
        tokens = tokensFor(new AuthorizationCodeGrant(code, CALLBACK, verifier));
        new IDTokenValidator(
                provider.getIssuer(), CLIENT, JWSAlgorithm.RS256, provider.getJWKSetURI().toURL())
                .validate(tokens.getIDToken(), nonce);
    }

    private OIDCTokens tokensFor(AuthorizationGrant grant) throws Exception {
        var asked = new TokenRequest.Builder(
                provider.getTokenEndpointURI(), new ClientSecretBasic(CLIENT, SECRET), grant).build();
        var answer = OIDCTokenResponseParser.parse(asked.toHTTPRequest().send());
        if (!answer.indicatesSuccess()) {
            throw new IllegalStateException(answer.toErrorResponse().getErrorObject().toString());
        }
        return (OIDCTokens) answer.toSuccessResponse().getTokens();
    }

    private String person() throws Exception {
        var asked = new UserInfoRequest(
                provider.getUserInfoEndpointURI(), tokens.getBearerAccessToken());
        var answer = UserInfoResponse.parse(asked.toHTTPRequest().send());
        return answer.toSuccessResponse().getUserInfo().toJSONString();
    }

    private URI logout() {
        var asked = new LogoutRequest(provider.getEndSessionEndpointURI(), tokens.getIDToken(),
                URI.create(ORIGIN + "/"), null);
        tokens = null;
        return asked.toURI();
    }

    private static void leave(HttpExchange exchange, URI location) throws Exception {
        exchange.getResponseHeaders().set("location", location.toString());
        exchange.sendResponseHeaders(302, -1);
    }

    private static void show(HttpExchange exchange, int status, String text) throws Exception {
        var body = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }
}
