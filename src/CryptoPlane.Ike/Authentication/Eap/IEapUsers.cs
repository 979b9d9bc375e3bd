using System.Net;

namespace CryptoPlane.Ike.Authentication.Eap;

/// <summary>The users who may come in by EAP-MSCHAPv2. Called on the endpoint's thread, so it must answer at once, from memory.</summary>
/// <remarks>
/// MS-CHAPv2 needs each user's NT hash (MD4 of the password, without salt) or the password itself. The hash is as good as the password: who
/// has it can log in, and weak passwords are found from it by trying billions a second. So a file of them needs the protection of a file
/// of passwords, and salted hashes, such as those of /etc/shadow or htpasswd, cannot be used.
/// </remarks>
public interface IEapUsers
{
    /// <summary>
    /// Looks a user up. However it ends, the client's password is compared with what is in <paramref name="ntHash"/>, and the client is told
    /// the same in the same time if that does not count.
    /// </summary>
    /// <param name="userName">As the client sent it, with a domain ("DOMAIN\user") where it has one: untrusted, at most 256 bytes of UTF-8.</param>
    /// <param name="remote">Where the client is.</param>
    /// <param name="ntHash">Takes 16 bytes, which <see cref="EapPassword.Hash"/> makes of a password; the caller zeroes it.</param>
    EapUserStatus Find(string userName, IPEndPoint remote, Span<byte> ntHash);
}

/// <summary>What is known of somebody who wants to log in.</summary>
public enum EapUserStatus
{
    /// <summary>There is no such user.</summary>
    Unknown,

    /// <summary>There is.</summary>
    Known,

    /// <summary>The user, or the address, has failed too often: this attempt fails whatever the password is.</summary>
    Blocked,
}

/// <summary>Makes NT hashes.</summary>
public static class EapPassword
{
    /// <summary>Bytes of an NT hash.</summary>
    public const int HashLength = Md4.Length;

    /// <summary>Most characters of a password (RFC 2759 §8.3).</summary>
    public const int MaxLength = 256;

    /// <summary>The NT hash of a password.</summary>
    /// <exception cref="ArgumentException">The password is too long, or the hash too short.</exception>
    public static void Hash(ReadOnlySpan<char> password, Span<byte> ntHash)
    {
        if (password.Length > MaxLength)
            throw new ArgumentException($"A password has at most {MaxLength} characters, not {password.Length}.", nameof(password));
        if (ntHash.Length < HashLength)
            throw new ArgumentException($"An NT hash has {HashLength} bytes, not {ntHash.Length}.", nameof(ntHash));
        MsChapV2.HashPassword(password, ntHash);
    }
}
