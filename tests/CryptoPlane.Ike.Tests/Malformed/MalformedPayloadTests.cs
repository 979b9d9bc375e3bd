using System.Buffers.Binary;
using System.Security.Cryptography;
using CryptoPlane.Ike.Responder;
using CryptoPlane.Ike.Tests.Responder;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Malformed;

/// <summary>Whatever a peer sends, the parsers say what is wrong with it: they throw nothing, and allocate in proportion to it.</summary>
public sealed class MalformedPayloadTests
{
    private const int Cases = 100_000;

    // A byte of a message may cost this many of memory (attributes of four bytes become objects), besides lists that grow by doubling.
    private const int BytesPerByte = 40, BytesPerMessage = 16_384;

    [Fact]
    public void Every_truncation_of_every_payload_is_an_error_or_another_good_payload()
    {
        foreach ((PayloadType first, byte[] chain) in SampleChains.All)
        {
            Assert.True(IkePayloads.Parse(first, chain, out _).IsOk);
            // Cut behind a payload or within it, the chain promises more than is there.
            for (int length = 0; length < chain.Length; length++)
                Assert.False(IkePayloads.Parse(first, chain.AsSpan(0, length), out _).IsOk, $"{first} cut to {length} bytes");

            // Cut within a payload whose own length is right.
            PayloadWalk walk = new(first, chain);
            while (walk.TryRead(out PayloadView view))
            {
                for (int length = 0; length < view.Body.Length; length++)
                {
                    byte[] alone = [0, 0, 0, 0, .. view.Body[..length]];
                    BinaryPrimitives.WriteUInt16BigEndian(alone.AsSpan(2), (ushort)alone.Length);
                    IkeParseResult result = IkePayloads.Parse(view.Type, alone, out IkePayloads payloads);
                    if (result.IsOk)
                        AssertReadsTheSameAgain(payloads);
                    else
                        Assert.Equal(view.Type, result.Payload);
                }
            }
        }
    }

    [Fact]
    public void A_hundred_thousand_spoilt_messages_throw_nothing_and_cost_what_they_weigh()
    {
        ChainMutator mutator = new(seed: 7296);
        HashSet<IkeParseError> seen = [];
        int good = 0;
        for (int i = 0; i < Cases; i++)
        {
            (PayloadType first, byte[] chain) = mutator.Mutate(SampleChains.All[i % SampleChains.All.Count]);
            long before = GC.GetAllocatedBytesForCurrentThread();
            IkeParseResult result = IkePayloads.Parse(first, chain, out IkePayloads payloads);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated <= BytesPerMessage + (BytesPerByte * chain.Length), $"case {i}: {allocated} bytes for {chain.Length}");
            seen.Add(result.Error);
            if (!result.IsOk)
                continue;
            good++;
            AssertReadsTheSameAgain(payloads);
        }
        // The cases are worth something: many stay good, and every error that a chain can have was met.
        Assert.InRange(good, Cases / 20, Cases * 19 / 20);
        IkeParseError[] elsewhere =
        [
            IkeParseError.BadMessageLength, IkeParseError.UnsupportedMajorVersion, IkeParseError.ObsoleteMajorVersion,
            IkeParseError.TooManyTransforms, IkeParseError.BadEncryptedPayload, IkeParseError.BadFragment,
        ];
        Assert.Empty(Enum.GetValues<IkeParseError>().Except(elsewhere).Except(seen));
    }

    [Fact]
    public void The_gate_takes_spoilt_first_requests_without_harm()
    {
        using InitGate gate = new(new InitGateLimits(), RandomNumberGenerator.Fill);
        ChainMutator mutator = new(seed: 8019);
        byte[] request = InitRequests.Make(1);
        (PayloadType First, byte[] Chain) good = (InitRequests.HeaderOf(request).NextPayload, request[IkeHeader.Size..]);
        Random random = new(2);
        for (int i = 0; i < Cases / 10; i++)
        {
            (PayloadType first, byte[] chain) = mutator.Mutate(good);
            byte[] message = [.. request[..IkeHeader.Size], .. chain];
            message[16] = (byte)first;
            BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(24), message.Length);
            if (random.Next(4) == 0)
                message[random.Next(IkeHeader.Size)] ^= (byte)(1 << random.Next(8));
            if (IkeHeader.Parse(message, out IkeHeader header) != IkeParseError.None)
                continue;
            InitDecision decision = gate.Decide(InitRequests.Endpoint((uint)i), header, message, i, out _, out byte[] reply);
            Assert.Equal(decision == InitDecision.Reply, reply.Length != 0);
            EncryptedPayload.Find(header, message, out EncryptedPayload place);
            Assert.InRange(place.BodyOffset, 0, message.Length - 1);
        }
        Assert.Equal(0, gate.HalfOpenCount);
        Assert.InRange(gate.Counters.Malformed, 1, Cases / 10);
        Assert.InRange(gate.Counters.Accepted, 1, Cases / 10);
    }

    /// <summary>What was read, written and read once more is the same: nothing was half understood.</summary>
    private static void AssertReadsTheSameAgain(IkePayloads payloads)
    {
        IkeWriter once = Write(payloads);
        IkeParseResult result = IkePayloads.Parse(once.FirstPayload, once.Written, out IkePayloads again);
        Assert.True(result.IsOk, result.ToString());
        Assert.Equal(once.Written, Write(again).Written);
    }

    private static IkeWriter Write(IkePayloads payloads)
    {
        IIkePayload?[] single =
        [
            payloads.SecurityAssociation, payloads.KeyExchange, payloads.Nonce, payloads.Initiator, payloads.Responder,
            payloads.Authentication, payloads.Configuration, payloads.Eap,
            WithSelectors(payloads.TrafficSelectorsInitiator), WithSelectors(payloads.TrafficSelectorsResponder),
        ];
        IkeWriter writer = new();
        foreach (IIkePayload payload in single.OfType<IIkePayload>().Concat(payloads.Notifications).Concat(payloads.Certificates)
            .Concat(payloads.CertificateRequests).Concat(payloads.Deletions).Concat(payloads.VendorIds))
            writer.Add(payload);
        return writer;
    }

    // A list of which nothing could be granted has nothing to write.
    private static TrafficSelectorsPayload? WithSelectors(TrafficSelectorsPayload? payload) =>
        payload is { Selectors.Count: > 0 } ? payload : null;
}
