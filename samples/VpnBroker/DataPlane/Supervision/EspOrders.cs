using System.Runtime.InteropServices;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>Posts orders about SAs to lcores and takes them back. Supervisor's thread.</summary>
internal sealed unsafe class EspOrders
{
    private readonly Dictionary<nint, (int Lcore, Action<EspOrder> Done)> _underWay = [];

    /// <summary>Posts an order.</summary>
    /// <param name="unit">The lcore.</param>
    /// <param name="order">What to do.</param>
    /// <param name="done">Called on the supervisor's thread with the order as the lcore leaves it.</param>
    public void Post(LcoreUnit unit, in EspOrder order, Action<EspOrder> done)
    {
        var block = (EspOrder*)NativeMemory.Alloc((nuint)sizeof(EspOrder));
        *block = order;
        _underWay.Add((nint)block, (unit.Context.Index, done));
        unit.Post(new LcoreMessage { Kind = LcoreMessageKind.Esp, Pointer = (nint)block });
    }

    /// <summary>An lcore has obeyed.</summary>
    public void Obeyed(nint block)
    {
        if (!_underWay.Remove(block, out (int Lcore, Action<EspOrder> Done) waiting))
            return;
        EspOrder order = *(EspOrder*)block;
        NativeMemory.Free((void*)block);
        waiting.Done(order);
    }

    /// <summary>The lcores have stopped: what they have not read is answered with "not accepted", in the order of the calls on each.</summary>
    public void Abandon()
    {
        foreach (nint block in _underWay.Keys.ToArray())
        {
            ((EspOrder*)block)->Accepted = false;
            Obeyed(block);
        }
    }
}
