package party;

import java.util.Map;
import java.util.TreeMap;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.client.OAuth2AuthorizeRequest;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.core.OAuth2AccessToken;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

/** A web app that signs people in, and an API of its own beside it. */
@SpringBootApplication
@RestController
public class App {
    private final RestClient http = RestClient.create();
    private final OAuth2AuthorizedClientManager manager;

    App(OAuth2AuthorizedClientManager manager) {
        this.manager = manager;
    }

    public static void main(String[] args) {
        SpringApplication.run(App.class, args);
    }

    @GetMapping("/")
    String home() {
        return "signed out";
    }

    @GetMapping("/me")
    Map<String, Object> me(@AuthenticationPrincipal OidcUser user) {
        return new TreeMap<>(user.getClaims());
    }

    @GetMapping("/refresh")
    Map<String, String> refresh(
            Authentication person, HttpServletRequest request, HttpServletResponse response) {
        return Map.of("type", tokenOf(person, request, response).getTokenType().getValue());
    }

    /** Calls the API of this app with the person's own token. */
    @GetMapping("/call")
    String call(
            Authentication person, HttpServletRequest request, HttpServletResponse response) {
        var token = tokenOf(person, request, response).getTokenValue();
        return http.get().uri("http://localhost:{port}/api/whoami", System.getenv("PORT"))
                .headers((headers) -> headers.setBearerAuth(token))
                .retrieve().body(String.class);
    }

    @GetMapping("/api/whoami")
    Map<String, String> whoami(@AuthenticationPrincipal Jwt token) {
        return Map.of("sub", token.getSubject(), "scope", token.getClaimAsString("scope"));
    }

    private OAuth2AccessToken tokenOf(
            Authentication person, HttpServletRequest request, HttpServletResponse response) {
        var asked = OAuth2AuthorizeRequest.withClientRegistrationId("gatehouse").principal(person)
                .attribute(HttpServletRequest.class.getName(), request)
                .attribute(HttpServletResponse.class.getName(), response).build();
        return manager.authorize(asked).getAccessToken();
    }
}
