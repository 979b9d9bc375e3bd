using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;

namespace CryptoPlane.Dpdk.Lab;

/// <summary>Bursts of AES-128-GCM on a crypto device, in place in packets of the EAL's memory, compared with the framework's.</summary>
internal static unsafe class AeadRun
{
    private const int Count = 32, Length = 1400, Rounds = 8;

    public static void Run(string name)
    {
        using Cryptodev device = Cryptodev.Open(Cryptodev.Find(name));
        using CryptodevBackend backend = device.CreateBackend();
        using var engine = new AeadEngine(backend);
        using var pool = new PacketPool(Count, 2048, 128, new DpdkPacketMemory());
        byte[] key = RandomNumberGenerator.GetBytes(16);
        AeadKeyHandle handle = AeadKey.CreateDetached(AeadAlgorithm.Aes128Gcm, key);
        using var gcm = new AesGcm(key, AeadSizes.Tag);
        for (int round = 0; round < Rounds; round++)
            Burst(engine, pool, handle, gcm);
        engine.Retire(handle);
        if (backend.DoneByCpu != 0)
            throw new LabFailure($"the CPU did {backend.DoneByCpu} operations of the device");
        Console.WriteLine($"{Rounds * Count * 2} operations by {device.Info.Driver}");
    }

    private static void Burst(AeadEngine engine, PacketPool pool, AeadKeyHandle handle, AesGcm gcm)
    {
        AeadOperation* operations = stackalloc AeadOperation[Count];
        PacketBuffer** packets = stackalloc PacketBuffer*[Count];
        byte[][] plain = new byte[Count][], nonces = new byte[Count][];
        byte[] aad = RandomNumberGenerator.GetBytes(8), expected = new byte[Length + AeadSizes.Tag];
        for (int i = 0; i < Count; i++)
        {
            plain[i] = RandomNumberGenerator.GetBytes(Length);
            nonces[i] = RandomNumberGenerator.GetBytes(AeadSizes.Nonce);
            if (!pool.TryRent(out packets[i]) || !packets[i]->TrySetLength(Length + AeadSizes.Tag))
                throw new LabFailure("the pool is too small");
            plain[i].CopyTo(packets[i]->Span);
        }
        foreach (AeadDirection direction in new[] { AeadDirection.Seal, AeadDirection.Open })
        {
            for (int i = 0; i < Count; i++)
                Describe(&operations[i], packets[i], handle, direction, nonces[i], aad);
            engine.Run(operations, Count);
            for (int i = 0; i < Count; i++)
            {
                if (direction == AeadDirection.Seal)
                    gcm.Encrypt(nonces[i], plain[i], expected.AsSpan(0, Length), expected.AsSpan(Length), aad);
                ReadOnlySpan<byte> wanted = direction == AeadDirection.Seal ? expected : plain[i];
                if (operations[i].Status != AeadStatus.Success || !packets[i]->Span[..wanted.Length].SequenceEqual(wanted))
                    throw new LabFailure($"{direction} of packet {i} gave {operations[i].Status} or wrong bytes");
            }
        }
        pool.Return(packets, Count);
    }

    private static void Describe(AeadOperation* operation, PacketBuffer* packet, AeadKeyHandle key, AeadDirection direction, byte[] nonce, byte[] aad)
    {
        *operation = default;
        operation->Source = operation->Destination = packet->Data;
        operation->Key = key;
        operation->Length = Length;
        operation->Direction = direction;
        operation->SetNonce(nonce);
        operation->SetInlineAad(aad);
    }
}
