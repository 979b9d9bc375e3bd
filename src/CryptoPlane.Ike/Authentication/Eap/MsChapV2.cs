using System.Security.Cryptography;
using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Authentication.Eap;

/// <summary>The computations of MS-CHAPv2 (RFC 2759 §8), and the keys that come of it (RFC 3079 §3).</summary>
internal static class MsChapV2
{
    public const int ChallengeLength = 16, ResponseLength = 24, AuthenticatorResponseLength = 20, MskLength = 64;

    private const int HashedChallengeLength = 8, MasterKeyLength = 16, PadLength = 40;

    /// <summary>NtPasswordHash (§8.3): MD4 of the password in UTF-16.</summary>
    /// <param name="password">At most 256 characters.</param>
    /// <param name="hash">Takes 16 bytes.</param>
    public static void HashPassword(ReadOnlySpan<char> password, Span<byte> hash)
    {
        using SecretBytes unicode = new(2 * password.Length);
        for (int i = 0; i < password.Length; i++)
        {
            unicode.Writable[2 * i] = (byte)password[i];
            unicode.Writable[(2 * i) + 1] = (byte)(password[i] >> 8);
        }
        Md4.HashData(unicode.Value, hash);
    }

    /// <summary>GenerateNTResponse (§8.1).</summary>
    /// <param name="authenticatorChallenge">The server's 16 bytes.</param>
    /// <param name="peerChallenge">The client's 16 bytes.</param>
    /// <param name="userName">As the client sent it, with or without a domain.</param>
    /// <param name="passwordHash">NtPasswordHash.</param>
    /// <param name="response">Takes 24 bytes.</param>
    public static void ComputeResponse(
        ReadOnlySpan<byte> authenticatorChallenge,
        ReadOnlySpan<byte> peerChallenge,
        ReadOnlySpan<byte> userName,
        ReadOnlySpan<byte> passwordHash,
        Span<byte> response)
    {
        Span<byte> challenge = stackalloc byte[SHA1.HashSizeInBytes];
        HashChallenge(authenticatorChallenge, peerChallenge, userName, challenge);
        // ChallengeResponse (§8.5): the hash, filled up with zeros, is three keys.
        Span<byte> keys = stackalloc byte[3 * Des.KeyLength];
        keys.Clear();
        passwordHash[..Md4.Length].CopyTo(keys);
        for (int i = 0; i < 3; i++)
            Des.Encrypt(keys[(Des.KeyLength * i)..], challenge[..HashedChallengeLength], response[(Des.BlockLength * i)..]);
        CryptographicOperations.ZeroMemory(keys);
    }

    /// <summary>GenerateAuthenticatorResponse (§8.7), before it is written in hexadecimal: by it the server shows that it knows the hash.</summary>
    /// <param name="authenticatorChallenge">As for <see cref="ComputeResponse"/>.</param>
    /// <param name="peerChallenge">As for <see cref="ComputeResponse"/>.</param>
    /// <param name="userName">As for <see cref="ComputeResponse"/>.</param>
    /// <param name="passwordHash">As for <see cref="ComputeResponse"/>.</param>
    /// <param name="response">The client's NT-Response.</param>
    /// <param name="authenticatorResponse">Takes 20 bytes.</param>
    public static void ComputeAuthenticatorResponse(
        ReadOnlySpan<byte> authenticatorChallenge,
        ReadOnlySpan<byte> peerChallenge,
        ReadOnlySpan<byte> userName,
        ReadOnlySpan<byte> passwordHash,
        ReadOnlySpan<byte> response,
        Span<byte> authenticatorResponse)
    {
        Span<byte> hashHash = stackalloc byte[Md4.Length], challenge = stackalloc byte[SHA1.HashSizeInBytes];
        Md4.HashData(passwordHash, hashHash);
        HashChallenge(authenticatorChallenge, peerChallenge, userName, challenge);
        Sha1(authenticatorResponse, hashHash, response, "Magic server to client signing constant"u8);
        Sha1(authenticatorResponse, authenticatorResponse[..SHA1.HashSizeInBytes], challenge[..HashedChallengeLength],
            "Pad to make it do more than one iteration"u8);
        CryptographicOperations.ZeroMemory(hashHash);
    }

    /// <summary>
    /// The MSK: the server's receive key, its send key (RFC 3079 §3, 128 bits each), and 32 zeros
    /// (draft-kamath-pppext-eap-mschapv2, "Key derivation").
    /// </summary>
    /// <param name="passwordHash">NtPasswordHash.</param>
    /// <param name="response">The client's NT-Response, which was right.</param>
    /// <returns>64 bytes for the caller to dispose of.</returns>
    public static SecretBytes DeriveMsk(ReadOnlySpan<byte> passwordHash, ReadOnlySpan<byte> response)
    {
        using SecretBytes hashHash = new(Md4.Length), master = new(SHA1.HashSizeInBytes), key = new(SHA1.HashSizeInBytes);
        Md4.HashData(passwordHash, hashHash.Writable);
        Sha1(master.Writable, hashHash.Value, response, "This is the MPPE Master Key"u8);

        SecretBytes msk = new(MskLength);
        DeriveKey(master, "On the client side, this is the send key; on the server side, it is the receive key."u8, key);
        key.Value[..MasterKeyLength].CopyTo(msk.Writable);
        DeriveKey(master, "On the client side, this is the receive key; on the server side, it is the send key."u8, key);
        key.Value[..MasterKeyLength].CopyTo(msk.Writable[MasterKeyLength..]);
        return msk;
    }

    /// <summary>GetAsymmetricStartKey (RFC 3079 §3.4).</summary>
    private static void DeriveKey(SecretBytes master, ReadOnlySpan<byte> label, SecretBytes key)
    {
        Span<byte> pads = stackalloc byte[2 * PadLength];
        pads[..PadLength].Clear();
        pads[PadLength..].Fill(0xF2);
        Sha1(key.Writable, master.Value[..MasterKeyLength], pads[..PadLength], label, pads[PadLength..]);
    }

    /// <summary>ChallengeHash (§8.2). Only the first 8 bytes are used.</summary>
    private static void HashChallenge(ReadOnlySpan<byte> authenticatorChallenge, ReadOnlySpan<byte> peerChallenge, ReadOnlySpan<byte> userName, Span<byte> hash)
    {
        // §4: the name goes in without the domain before it.
        Sha1(hash, peerChallenge, authenticatorChallenge, userName[(userName.LastIndexOf((byte)'\\') + 1)..]);
    }

    private static void Sha1(Span<byte> digest, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third, ReadOnlySpan<byte> fourth = default)
    {
#pragma warning disable CA5350 // MS-CHAPv2 is made of SHA-1; it runs within an IKE SA whose server has authenticated by certificate.
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
#pragma warning restore CA5350
        hash.AppendData(first);
        hash.AppendData(second);
        hash.AppendData(third);
        hash.AppendData(fourth);
        hash.GetHashAndReset(digest);
    }
}
