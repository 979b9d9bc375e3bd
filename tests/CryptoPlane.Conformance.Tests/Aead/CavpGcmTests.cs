namespace CryptoPlane.Conformance.Tests.Aead;

/// <summary>NIST CAVP's AES-GCM vectors, on every backend.</summary>
public sealed class CavpGcmTests(ITestOutputHelper output)
{
    public static TheoryData<string> Backends => BackendCatalog.Names;

    [Theory]
    [MemberData(nameof(Backends))]
    public void Every_case_with_a_96_bit_iv_and_a_128_bit_tag(string backend)
    {
        foreach (string name in new[] { "gcmEncryptExtIV128.rsp", "gcmEncryptExtIV256.rsp", "gcmDecrypt128.rsp", "gcmDecrypt256.rsp" })
        {
            List<TestMessage> messages = CavpFile.Load(name, out int outOfScope);
            int run = VectorRunner.Run(backend, messages);
            output.WriteLine($"{name}: {run} cases run, {messages.Count(message => !message.Valid)} of them invalid; {outOfScope} out of scope (other IV or tag sizes)");
            Assert.Equal(7875, run + outOfScope);
            Assert.Equal(375, run);
        }
    }
}
