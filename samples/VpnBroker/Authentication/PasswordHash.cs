using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace VpnBroker.Authentication;

/// <summary>A salted password hash in the form <c>pbkdf2-sha256$iterations$salt$hash</c> (PBKDF2 of RFC 8018, base64 fields).</summary>
public sealed class PasswordHash
{
    /// <summary>Iterations for new hashes.</summary>
    public const int DefaultIterations = 600_000;

    /// <summary>Most iterations that are accepted in a file: beyond that one log-in would take minutes.</summary>
    public const int MaxIterations = 100_000_000;

    /// <summary>Fewest iterations that are accepted.</summary>
    public const int MinIterations = 1000;

    private const string Scheme = "pbkdf2-sha256";
    private const int SaltSize = 16;
    private const int HashSize = 32;

    private readonly byte[] _salt;
    private readonly byte[] _hash;

    private PasswordHash(int iterations, byte[] salt, byte[] hash)
    {
        Iterations = iterations;
        _salt = salt;
        _hash = hash;
    }

    /// <summary>The hash's work factor.</summary>
    public int Iterations { get; }

    /// <summary>Hashes a password under a fresh salt.</summary>
    public static PasswordHash Create(ReadOnlySpan<char> password, int iterations = DefaultIterations)
    {
        byte[] salt = RandomNumberGenerator.GetBytes(SaltSize);
        return new PasswordHash(iterations, salt, Derive(password, salt, iterations));
    }

    /// <summary>A hash that no password has: what an unknown user's password is compared with.</summary>
    public static PasswordHash CreateUnmatchable(int iterations) =>
        new(iterations, RandomNumberGenerator.GetBytes(SaltSize), RandomNumberGenerator.GetBytes(HashSize));

    /// <summary>Parses the text form.</summary>
    public static bool TryParse(string text, out PasswordHash? value)
    {
        value = null;
        string[] fields = text.Split('$');
        if (fields.Length != 4 || fields[0] != Scheme
            || !int.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out int iterations)
            || iterations is < MinIterations or > MaxIterations)
        {
            return false;
        }
        byte[] salt = new byte[64];
        byte[] hash = new byte[64];
        if (!Convert.TryFromBase64String(fields[2], salt, out int saltLength) || saltLength < SaltSize
            || !Convert.TryFromBase64String(fields[3], hash, out int hashLength) || hashLength != HashSize)
        {
            return false;
        }
        value = new PasswordHash(iterations, salt[..saltLength], hash[..hashLength]);
        return true;
    }

    /// <summary>Whether a password has this hash, compared in constant time.</summary>
    public bool Matches(ReadOnlySpan<char> password)
    {
        byte[] derived = Derive(password, _salt, Iterations);
        bool equal = CryptographicOperations.FixedTimeEquals(derived, _hash);
        CryptographicOperations.ZeroMemory(derived);
        return equal;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Scheme}${Iterations}${Convert.ToBase64String(_salt)}${Convert.ToBase64String(_hash)}");

    /// <summary>Spends the time of some iterations, for a user whose hash has fewer than another's.</summary>
    public static void Spend(ReadOnlySpan<char> password, int iterations)
    {
        if (iterations > 0)
            CryptographicOperations.ZeroMemory(Derive(password, new byte[SaltSize], iterations));
    }

    private static byte[] Derive(ReadOnlySpan<char> password, byte[] salt, int iterations)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(password)];
        Encoding.UTF8.GetBytes(password, bytes);
        byte[] hash = Rfc2898DeriveBytes.Pbkdf2(bytes, salt, iterations, HashAlgorithmName.SHA256, HashSize);
        CryptographicOperations.ZeroMemory(bytes);
        return hash;
    }
}
