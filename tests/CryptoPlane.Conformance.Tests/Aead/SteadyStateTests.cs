using System.Diagnostics;
using CryptoPlane.Aead;
using CryptoPlane.Interop;
using CryptoPlane.TestKit;

namespace CryptoPlane.Conformance.Tests.Aead;

/// <summary>What packets may cost besides time: nothing, whether they are good or forged.</summary>
[Collection(nameof(SteadyStateTests))]
public sealed unsafe class SteadyStateTests
{
    private const int BurstLength = 32;
    private const int PacketLength = 64;
    private const int Stride = PacketLength + AeadSizes.Tag;

    public static TheoryData<string, AeadAlgorithm> Cases
    {
        get
        {
            var cases = new TheoryData<string, AeadAlgorithm>();
            foreach (string backend in BackendCatalog.Names.Select(row => row.Data))
            {
                cases.Add(backend, AeadAlgorithm.Aes128Gcm);
                cases.Add(backend, AeadAlgorithm.Aes256Gcm);
                if (BackendCatalog.HasChaCha(backend))
                    cases.Add(backend, AeadAlgorithm.ChaCha20Poly1305);
            }
            return cases;
        }
    }

    /// <summary>
    /// The framework's classes throw on every forged tag (2.5 µs and 192 bytes at the attacker's will). A million forged packets must
    /// not allocate, throw, grow native memory, or leave anything in libcrypto's error queue.
    /// </summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void A_million_forged_packets_cost_nothing_but_time(string backend, AeadAlgorithm algorithm)
    {
        using var packets = new Packets(backend, algorithm, AeadDirection.Open);
        packets.Forge();
        packets.Run(bursts: 1000);

        long residentBefore = ResidentBytes();
        AllocationReading reading = AllocationMeter.Measure(() => packets.Run(bursts: 1_000_000 / BurstLength));
        long growth = ResidentBytes() - residentBefore;

        Assert.All(packets.Statuses, status => Assert.Equal(AeadStatus.AuthenticationFailed, status));
        Assert.True(packets.DestinationIsZero);
        Assert.Equal(0, reading.AllocatedBytes);
        Assert.Equal(0, reading.Exceptions);
        Assert.Equal((nuint)0, LibCrypto.ERR_peek_error());
        // One byte per packet would be a megabyte; what else the process does in the meantime gets eight.
        Assert.InRange(growth, long.MinValue, 8 << 20);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Sealing_and_opening_allocate_nothing_and_contend_for_no_lock(string backend, AeadAlgorithm algorithm)
    {
        using var seal = new Packets(backend, algorithm, AeadDirection.Seal);
        using var open = new Packets(backend, algorithm, AeadDirection.Open);
        seal.Run(bursts: 1000);
        open.Run(bursts: 1000);
        AllocationReading reading = AllocationMeter.Measure(() =>
        {
            seal.Run(bursts: 5000);
            open.Run(bursts: 5000);
        });
        Assert.All(seal.Statuses, status => Assert.Equal(AeadStatus.Success, status));
        Assert.All(open.Statuses, status => Assert.Equal(AeadStatus.Success, status));
        Assert.Equal(new AllocationReading(0, 0, 0), reading);
    }

    private static long ResidentBytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    /// <summary>A burst of packets, out of place, that can be run again and again.</summary>
    private sealed class Packets : IDisposable
    {
        private readonly AeadEngine _engine;
        private readonly AeadKey _key;
        private readonly NativeBuffer _descriptors = new(BurstLength * AeadOperation.SizeInBytes);
        private readonly NativeBuffer _source = new(BurstLength * Stride);
        private readonly NativeBuffer _destination = new(BurstLength * Stride);

        public Packets(string backend, AeadAlgorithm algorithm, AeadDirection direction)
        {
            _engine = BackendCatalog.CreateEngine(backend);
            _key = AeadKey.Create(algorithm, new byte[AeadSizes.Key(algorithm)]);
            for (int i = 0; i < BurstLength; i++)
            {
                AeadOperation* operation = Operations + i;
                operation->Source = _source.Pointer + i * Stride;
                operation->Destination = _destination.Pointer + i * Stride;
                operation->Key = _key.Handle;
                operation->Length = PacketLength;
                operation->Nonce[11] = (byte)i;
                operation->SetInlineAad([1, 2, 3, 4, 5]);
            }
            _engine.Run(Operations, BurstLength);
            if (direction == AeadDirection.Open)
            {
                _destination.Span.CopyTo(_source.Span);
                for (int i = 0; i < BurstLength; i++)
                    Operations[i].Direction = AeadDirection.Open;
            }
        }

        public IEnumerable<AeadStatus> Statuses => Enumerable.Range(0, BurstLength).Select(i => Operations[i].Status);

        /// <summary>Whether all plaintexts are zeros; the room for tags behind them is not looked at.</summary>
        public bool DestinationIsZero => Enumerable.Range(0, BurstLength).All(i => !_destination.Span.Slice(i * Stride, PacketLength).ContainsAnyExcept((byte)0));

        private AeadOperation* Operations => (AeadOperation*)_descriptors.Pointer;

        /// <summary>Changes one bit of every tag.</summary>
        public void Forge()
        {
            for (int i = 0; i < BurstLength; i++)
                _source.Span[i * Stride + PacketLength + i % AeadSizes.Tag] ^= 0x40;
        }

        public void Run(int bursts)
        {
            for (int i = 0; i < bursts; i++)
                _engine.Run(Operations, BurstLength);
        }

        public void Dispose()
        {
            _engine.Retire(_key.Detach());
            _engine.Dispose();
            _descriptors.Dispose();
            _source.Dispose();
            _destination.Dispose();
        }
    }
}

/// <summary>Lock contentions are counted for the whole process, so nothing else may run beside these tests.</summary>
[CollectionDefinition(nameof(SteadyStateTests), DisableParallelization = true)]
public sealed class SteadyStateGroup;
