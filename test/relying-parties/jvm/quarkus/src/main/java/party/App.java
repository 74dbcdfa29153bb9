package party;

import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;

import io.quarkus.oidc.UserInfo;
import io.quarkus.security.Authenticated;

/** A web app; Quarkus itself has the addresses of the callback and of the sign-out. */
@Path("/")
public class App {
    @Inject
    UserInfo person;

    @GET
    @Produces(MediaType.TEXT_PLAIN)
    public String home() {
        return "signed out";
    }

    @GET
    @Path("me")
    @Authenticated
    @Produces(MediaType.APPLICATION_JSON)
    public String me() {
        return person.getUserInfoString();
    }
}
