package party;

import static org.springframework.security.config.Customizer.withDefaults;

import java.time.Duration;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientProviderBuilder;
import org.springframework.security.oauth2.client.oidc.web.logout.OidcClientInitiatedLogoutSuccessHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.client.web.DefaultOAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.web.OAuth2AuthorizedClientRepository;
import org.springframework.security.web.SecurityFilterChain;

/** As the reference of Spring Security has login, logout at both ends, and a resource server. */
@Configuration
class Security {
    @Bean
    @Order(1)
    SecurityFilterChain forPrograms(HttpSecurity http) throws Exception {
        return http.securityMatcher("/api/**")
                .authorizeHttpRequests((asked) -> asked.anyRequest().authenticated())
                .oauth2ResourceServer((server) -> server.jwt(withDefaults()))
                .build();
    }

    @Bean
    @Order(2)
    SecurityFilterChain forPeople(HttpSecurity http, ClientRegistrationRepository clients) throws Exception {
        var atServer = new OidcClientInitiatedLogoutSuccessHandler(clients);
        atServer.setPostLogoutRedirectUri("{baseUrl}/");
        return http
                .authorizeHttpRequests((asked) -> asked
                        .requestMatchers("/").permitAll()
                        .anyRequest().authenticated())
                .oauth2Login(withDefaults())
                .logout((logout) -> logout.logoutSuccessHandler(atServer))
                .oidcLogout((logout) -> logout.backChannel(withDefaults()))
                .build();
    }

    /** A token is fresh only for longer than it lives, so it is refreshed whenever it is asked for. */
    @Bean
    OAuth2AuthorizedClientManager manager(
            ClientRegistrationRepository registrations, OAuth2AuthorizedClientRepository clients) {
        var manager = new DefaultOAuth2AuthorizedClientManager(registrations, clients);
        manager.setAuthorizedClientProvider(OAuth2AuthorizedClientProviderBuilder.builder()
                .authorizationCode()
                .refreshToken((refresh) -> refresh.clockSkew(Duration.ofHours(2)))
                .build());
        return manager;
    }
}
