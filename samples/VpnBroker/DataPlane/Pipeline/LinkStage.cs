namespace VpnBroker.DataPlane.Pipeline;

/// <summary>
/// Keeps the Ethernet links under an lcore's ports going: neighbours are asked and forgotten in time, and the kernel's own frames go out.
/// </summary>
internal sealed class LinkStage(LcoreContext context, LcorePorts ports)
{
    /// <summary>Frames of the kernel that go out of one port in a turn: 16 bursts of the port.</summary>
    private const int PumpsPerTurn = 16;

    private readonly EthernetLink[] _links = [.. ports.Links];

    /// <summary>Does what is due, and asks the exception ports that wake nobody.</summary>
    /// <returns>How many frames of the kernel went out.</returns>
    public int Run()
    {
        int frames = 0;
        for (int index = 0; index < _links.Length; index++)
        {
            _links[index].Port.Tick(context.Now);
            if (_links[index].Exception.MustPoll)
                frames += Pump(index);
        }
        return frames;
    }

    /// <summary>Sends what the kernel has for a link.</summary>
    /// <returns>How many frames that were.</returns>
    public int Pump(int index)
    {
        int total = 0;
        for (int i = 0; i < PumpsPerTurn; i++)
        {
            int count = _links[index].Port.PumpException();
            if (count == 0)
                break;
            total += count;
        }
        return total;
    }
}
