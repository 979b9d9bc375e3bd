namespace VpnBroker.Authentication;

/// <summary>
/// The users who may come by IKEv2. A file is one source; a directory that keeps NT hashes is another. Called on IKE's thread: it answers at
/// once, from memory.
/// </summary>
/// <remarks>
/// EAP-MSCHAPv2 needs the NT hash of a password (MD4, without salt). It is as good as the password: who reads it can log in with it. A source
/// keeps it where nobody else can read it, and zeroes it when it is needed no more.
/// </remarks>
public interface IIkeUserSource : IDisposable
{
    /// <summary>Looks the NT hash of a user's password up.</summary>
    /// <param name="name">The name, as a stranger typed it.</param>
    /// <param name="ntHash">Takes 16 bytes; the caller zeroes it.</param>
    /// <returns>False for somebody who has no password for IKEv2.</returns>
    bool TryGetHash(string name, Span<byte> ntHash);

    /// <summary>The groups of a user, whether by password or by certificate; null for somebody who is no user.</summary>
    IReadOnlyList<string>? GroupsOf(string name);

    /// <summary>Reads what has changed.</summary>
    /// <exception cref="UsersFileException">It cannot be read: the users of before stay.</exception>
    void Refresh();
}
