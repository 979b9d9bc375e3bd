using System.Net;

namespace VpnBroker.Authentication;

/// <summary>
/// Finds out who a user is. A file does it in one step; RADIUS challenges, one-time codes, OIDC and certificates fit because a
/// dialog may ask several forms, wait without a thread, and sees how the connection came in.
/// </summary>
public interface IAuthenticator
{
    /// <summary>Begins a dialog with one client.</summary>
    /// <param name="context">The connection.</param>
    IAuthenticationDialog Begin(AuthenticationContext context);
}

/// <summary>One client's log-in. Calls come one after the other; the dialog lives as long as its connection, at most.</summary>
public interface IAuthenticationDialog
{
    /// <summary>The form that is asked first.</summary>
    AuthenticationForm FirstForm { get; }

    /// <summary>What the connection itself says, before any form: a certificate may be enough.</summary>
    /// <returns>Accepted; Rejected, behind which the form is asked all the same; or null if it says nothing.</returns>
    AuthenticationStep? TryWithoutAnswers() => null;

    /// <summary>Takes the answers to the form that was asked last.</summary>
    /// <param name="answers">Values by field name. They hold secrets: not to be logged or kept.</param>
    /// <param name="cancellation">Set when the client is gone or its time is over.</param>
    ValueTask<AuthenticationStep> AnswerAsync(IReadOnlyDictionary<string, string> answers, CancellationToken cancellation);
}

/// <summary>What an authenticator may want to know about a connection.</summary>
/// <param name="Remote">Where the client connects from.</param>
/// <param name="ServerName">The name that the client asked for (SNI), or null.</param>
/// <param name="ClientCertificate">The client's certificate (DER) when it proved one, else null.</param>
public sealed record AuthenticationContext(IPEndPoint Remote, string? ServerName, ReadOnlyMemory<byte>? ClientCertificate = null);

/// <summary>A form for the user to fill in.</summary>
/// <param name="Message">A sentence above the fields, or null.</param>
/// <param name="Fields">The fields, at least one.</param>
public sealed record AuthenticationForm(string? Message, IReadOnlyList<FormField> Fields);

/// <summary>A field of a form.</summary>
/// <param name="Name">The name that the answer comes back under: an XML element name.</param>
/// <param name="Label">What the user reads.</param>
/// <param name="Secret">Whether the client hides what is typed.</param>
public sealed record FormField(string Name, string Label, bool Secret);

/// <summary>What follows from an answer.</summary>
public abstract record AuthenticationStep
{
    private AuthenticationStep()
    {
    }

    /// <summary>Another form is asked (a one-time code, a new password).</summary>
    /// <param name="Form">The form.</param>
    public sealed record Ask(AuthenticationForm Form) : AuthenticationStep;

    /// <summary>The user is who they say.</summary>
    /// <param name="User">The user's name, as it is logged.</param>
    /// <param name="Groups">The user's groups.</param>
    public sealed record Accepted(string User, IReadOnlyList<string> Groups) : AuthenticationStep;

    /// <summary>The log-in failed.</summary>
    /// <param name="User">The name that was tried, for the audit log; may be empty.</param>
    /// <param name="Reason">Why, for the audit log only: the client is told nothing.</param>
    public sealed record Rejected(string User, string Reason) : AuthenticationStep;
}
