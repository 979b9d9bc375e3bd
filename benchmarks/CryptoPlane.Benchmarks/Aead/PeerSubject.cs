namespace CryptoPlane.Benchmarks.Aead;

/// <summary>A peer in C, which walks over the descriptors of a whole run by itself.</summary>
internal sealed unsafe class PeerSubject : DescriptorSubject
{
    private readonly PeerLibrary _peer;
    private readonly nint[] _keys;

    public PeerSubject(AeadWorkload workload, PeerLibrary peer)
        : base(peer.Name, workload)
    {
        _peer = peer;
        _keys = [.. workload.Keys.Select(key => peer.NewKey(workload.Case.Algorithm, workload.Case.Direction, key))];
        if (_keys.Contains(0))
            throw new InvalidOperationException($"{peer.Name} refuses a key of {workload.Case.Algorithm}.");
        SetKeys(_keys);
    }

    public override void Dispose()
    {
        foreach (nint key in _keys)
            _peer.FreeKey(key);
        base.Dispose();
    }

    protected override void Process(int first, int count) =>
        _peer.Run(Workload.Case.Algorithm, Workload.Case.Direction, Operations + first, count);
}
