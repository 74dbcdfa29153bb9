package party;

import java.util.Map;

import io.javalin.Javalin;
import io.javalin.http.Context;

import org.pac4j.core.config.Config;
import org.pac4j.core.profile.ProfileManager;
import org.pac4j.javalin.CallbackHandler;
import org.pac4j.javalin.JavalinFrameworkParameters;
import org.pac4j.javalin.JavalinWebContext;
import org.pac4j.javalin.LogoutHandler;
import org.pac4j.javalin.SecurityHandler;
import org.pac4j.jee.context.session.JEESessionStoreFactory;
import org.pac4j.oidc.client.OidcClient;
import org.pac4j.oidc.config.OidcConfiguration;
import org.pac4j.oidc.profile.OidcProfile;

/** pac4j in Javalin, as the documentation of both has a login by OpenID Connect. */
public class Main {
    private static final String ORIGIN = System.getenv("ORIGIN");

    public static void main(String[] args) {
        var oidc = new OidcConfiguration();
        oidc.setDiscoveryURI(System.getenv("OIDC_ISSUER") + "/.well-known/openid-configuration");
        oidc.setClientId(System.getenv("OIDC_CLIENT_ID"));
        oidc.setSecret(System.getenv("OIDC_CLIENT_SECRET"));
        oidc.setScope("openid profile email");
        var config = new Config(ORIGIN + "/callback", new OidcClient(oidc));
        config.setSessionStoreFactory(JEESessionStoreFactory.INSTANCE);

        var callback = new CallbackHandler(config, "/me", true);
        var logout = new LogoutHandler(config, ORIGIN + "/", ".*");
        logout.localLogout = true;
        logout.centralLogout = true;
        var app = Javalin.create();
        app.before("/me", new SecurityHandler(config, "OidcClient"));
        app.get("/", (context) -> context.result("signed out"));
        app.get("/me", (context) -> context.json(person(context)));
        app.get("/callback", callback);
        app.post("/callback", callback);
        app.get("/logout", logout);
        app.start(Integer.parseInt(System.getenv("PORT")));
    }

    private static Map<String, String> person(Context context) {
        var parameters = new JavalinFrameworkParameters(context);
        var store = JEESessionStoreFactory.INSTANCE.newSessionStore(parameters);
        var profiles = new ProfileManager(new JavalinWebContext(context), store);
        return profiles.getProfile(OidcProfile.class)
                .map((profile) -> Map.of("email", String.valueOf(profile.getEmail())))
                .orElse(Map.of());
    }
}
