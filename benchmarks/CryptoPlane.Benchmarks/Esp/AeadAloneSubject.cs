using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Esp;

namespace CryptoPlane.Benchmarks.Esp;

/// <summary>What ESP asks of the AEAD engine and nothing else: the same buffers, keys, lengths and order, with the descriptors ready.</summary>
internal sealed unsafe class AeadAloneSubject : EspSubject
{
    private readonly AeadDirection _direction;
    private AeadOperation* _operations;

    public AeadAloneSubject(EspPackets packets, AeadDirection direction)
        : base($"AEAD alone, {direction}", packets)
    {
        _direction = direction;
        _operations = (AeadOperation*)NativeMemory.AlignedAlloc(EspPackets.Count * AeadOperation.SizeInBytes, AeadOperation.SizeInBytes);
    }

    public override void Run()
    {
        for (int first = 0; first < EspPackets.Count; first += Packets.BurstSize)
            Tunnels.Engine.Run(_operations + first, Packets.BurstSize);
    }

    public override void Dispose()
    {
        NativeMemory.AlignedFree(_operations);
        _operations = null;
    }

    protected override long CountSucceeded()
    {
        long succeeded = 0;
        for (int i = 0; i < EspPackets.Count; i++)
            succeeded += _operations[i].Status == AeadStatus.Success ? 1 : 0;
        return succeeded;
    }

    protected override void Fill()
    {
        // Where packets are opened their sealing's descriptors serve again, with the other key.
        if (_direction == AeadDirection.Open)
            Packets.FillFromPeers(Position, _operations);
        else
            FillSealing();
        for (int i = 0; i < EspPackets.Count; i++)
        {
            AeadOperation* operation = _operations + i;
            operation->Direction = _direction;
            operation->Key = Tunnels.Key(Tunnels.At(Position + i), _direction);
            operation->Status = AeadStatus.Pending;
        }
    }

    private void FillSealing()
    {
        const int around = EspOverhead.Header + EspOverhead.Iv + EspOverhead.Icv;
        Span<byte> aad = stackalloc byte[12];
        Span<byte> nonce = stackalloc byte[AeadSizes.Nonce];
        aad.Clear();
        nonce.Clear();
        Packets.FillPlain();
        for (int i = 0; i < EspPackets.Count; i++)
        {
            AeadOperation* operation = _operations + i;
            operation->Source = operation->Destination = Packets[i]->Data;
            operation->Length = (uint)(EspOverhead.EspLength(Packets.Length) - around);
            operation->SetInlineAad(aad);
            // What is measured protects nothing: a nonce may come again.
            MemoryMarshal.Write(nonce[4..], Position + i);
            operation->SetNonce(nonce);
        }
    }
}
