package party;

import java.nio.file.Files;
import java.nio.file.Path;

import com.nimbusds.jose.jwk.JWK;

import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.oauth2.client.endpoint.NimbusJwtClientAuthenticationParametersConverter;
import org.springframework.security.oauth2.client.endpoint.OAuth2AccessTokenResponseClient;
import org.springframework.security.oauth2.client.endpoint.OAuth2AuthorizationCodeGrantRequest;
import org.springframework.security.oauth2.client.endpoint.RestClientAuthorizationCodeTokenResponseClient;

/** private_key_jwt, as the reference of Spring Security has "Authenticate using private_key_jwt". */
@Configuration
@ConditionalOnProperty("client.key")
class KeyOfClient {
    @Bean
    OAuth2AccessTokenResponseClient<OAuth2AuthorizationCodeGrantRequest> codes() throws Exception {
        var key = JWK.parse(Files.readString(Path.of(System.getenv("CLIENT_KEY"))));
        var client = new RestClientAuthorizationCodeTokenResponseClient();
        client.addParametersConverter(
                new NimbusJwtClientAuthenticationParametersConverter<>((registration) -> key));
        return client;
    }
}
