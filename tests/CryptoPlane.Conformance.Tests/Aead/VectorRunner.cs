using CryptoPlane.Aead;

namespace CryptoPlane.Conformance.Tests.Aead;

/// <summary>Runs known-answer messages every way that they can be run.</summary>
internal static class VectorRunner
{
    private const int BurstLength = 32;

    /// <summary>
    /// Runs every message singly, inside mixed bursts of 32, where other keys and sizes lie around it, and in bursts where its neighbours
    /// are of its own size; in place and out of place.
    /// A valid message is sealed and opened; an invalid one must not open, and leaves zeros.
    /// </summary>
    /// <returns>How many messages were run.</returns>
    public static int Run(string backend, IReadOnlyList<TestMessage> messages)
    {
        using AeadEngine engine = BackendCatalog.CreateEngine(backend);
        using var harness = new BurstHarness(engine);
        List<BurstItem> items = [];
        foreach (TestMessage message in messages)
        {
            foreach (bool inPlace in new[] { false, true })
            {
                if (message.Valid)
                    items.Add(new BurstItem(message, AeadDirection.Seal, inPlace));
                items.Add(new BurstItem(message, AeadDirection.Open, inPlace));
            }
        }
        foreach (BurstItem item in items)
            harness.Run(item);

        // Shuffled, so that neighbours have other keys, sizes and directions; every item at a random place of some burst.
        BurstItem[] shuffled = [.. items];
        new Random(messages.Count).Shuffle(shuffled);
        RunBursts(harness, shuffled);

        // Sorted, so that messages of one shape lie side by side: the kernels take them together.
        RunBursts(harness, [.. items.OrderBy(item => item.Message.Algorithm).ThenBy(item => item.Direction).ThenBy(item => item.Message.Ciphertext.Length)]);
        return messages.Count;
    }

    private static void RunBursts(BurstHarness harness, BurstItem[] items)
    {
        for (int start = 0; start < items.Length; start += BurstLength)
        {
            var burst = new BurstItem[BurstLength];
            for (int i = 0; i < BurstLength; i++)
                burst[i] = items[(start + i) % items.Length] with { Offset = (start + 7 * i) % 64 };
            harness.Run(burst);
        }
    }
}
