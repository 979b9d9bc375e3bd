using CryptoPlane.Aead;
using CryptoPlane.TestKit;

namespace CryptoPlane.Conformance.Tests.Aead;

/// <summary>
/// NIST's AES-GCM response files: groups that begin with lengths in brackets, then cases of <c>name = hex</c>, <c>FAIL</c> in the
/// place of the plaintext where the tag is wrong.
/// </summary>
internal static class CavpFile
{
    /// <summary>Loads the cases with an IV of 96 bits and a tag of 128 bits.</summary>
    /// <param name="name">The file's name.</param>
    /// <param name="outOfScope">How many cases have other parameters.</param>
    public static List<TestMessage> Load(string name, out int outOfScope)
    {
        string path = Path.Combine(RepositoryRoot.VectorData, "cavp-gcm", name);
        Requirement.That(File.Exists(path), $"{path} is missing: run vectors/restore.sh");
        var messages = new List<TestMessage>();
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        outOfScope = 0;
        foreach (string line in File.ReadLines(path).Append(""))
        {
            if (line.StartsWith('#') || line.StartsWith('['))
                continue;
            if (line.Length > 0)
            {
                string[] parts = line.Split('=', 2, StringSplitOptions.TrimEntries);
                fields[parts[0]] = parts.Length == 2 ? parts[1] : "";
                continue;
            }
            if (fields.Count == 0)
                continue;
            TestMessage message = Parse(name, fields);
            if (message.Nonce.Length == AeadSizes.Nonce && message.Tag.Length == AeadSizes.Tag)
                messages.Add(message);
            else
                outOfScope++;
            fields.Clear();
        }
        return messages;
    }

    private static TestMessage Parse(string name, Dictionary<string, string> fields)
    {
        byte[] Hex(string field) => Convert.FromHexString(fields[field]);

        bool valid = !fields.ContainsKey("FAIL");
        byte[] key = Hex("Key"), ciphertext = Hex("CT");
        return new TestMessage(
            $"{name} Count {fields["Count"]}",
            key.Length == 16 ? AeadAlgorithm.Aes128Gcm : AeadAlgorithm.Aes256Gcm,
            key,
            Hex("IV"),
            Hex("AAD"),
            valid ? Hex("PT") : new byte[ciphertext.Length],
            ciphertext,
            Hex("Tag"))
        {
            Valid = valid,
        };
    }
}
