using VpnBroker.Certificates;
using VpnBroker.Configuration;

namespace VpnBroker.Authentication;

/// <summary>
/// Authenticates by certificate besides another authenticator, which asks for passwords: instead of it for users who show one, or as a
/// second factor. TLS has verified the certificate; its user must be in the users file, so that nobody comes in who was removed from it.
/// </summary>
/// <param name="passwords">Asks those who have no certificate, or everybody.</param>
/// <param name="config">Which of the two it is.</param>
/// <param name="find">Finds a user of now by name.</param>
public sealed class CertificateAuthenticator(IAuthenticator passwords, UserCertificateConfig config, Func<string, UserEntry?> find) : IAuthenticator
{
    /// <inheritdoc/>
    public IAuthenticationDialog Begin(AuthenticationContext context) => new Dialog(passwords.Begin(context), context, config, find);

    private sealed class Dialog(IAuthenticationDialog passwords, AuthenticationContext context, UserCertificateConfig config, Func<string, UserEntry?> find)
        : IAuthenticationDialog
    {
        public AuthenticationForm FirstForm => passwords.FirstForm;

        public AuthenticationStep? TryWithoutAnswers()
        {
            if (!config.InsteadOfPassword || context.ClientCertificate is not { } certificate)
                return null;
            if (UserCertificates.UserOf(certificate.Span) is not { } name)
                return new AuthenticationStep.Rejected("", "the certificate names no user");
            return find(name) is { } user
                ? new AuthenticationStep.Accepted(user.Name, user.Groups)
                : new AuthenticationStep.Rejected(name, "unknown user of a certificate");
        }

        public async ValueTask<AuthenticationStep> AnswerAsync(IReadOnlyDictionary<string, string> answers, CancellationToken cancellation)
        {
            AuthenticationStep step = await passwords.AnswerAsync(answers, cancellation);
            if (config.InsteadOfPassword || step is not AuthenticationStep.Accepted accepted)
                return step;
            // Both factors are of one user, and what was wrong is not told: the client sees the same form again.
            string? name = context.ClientCertificate is { } certificate ? UserCertificates.UserOf(certificate.Span) : null;
            return string.Equals(name, accepted.User, StringComparison.Ordinal)
                ? step
                : new AuthenticationStep.Rejected(accepted.User, "another user's certificate");
        }
    }
}
