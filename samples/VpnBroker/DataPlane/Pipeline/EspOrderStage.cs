using CryptoPlane.Esp;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>
/// Obeys orders about SAs, between two bursts: no packet is on its way through the pipeline then, so that what is replaced here is used
/// by none. (A device that failed may still hold some: the SA database frees their SAs later.)
/// </summary>
internal sealed unsafe class EspOrderStage(LcoreContext context, EspPairs pairs)
{
    /// <summary>Does what the order says and notes in it whether that was possible.</summary>
    // Sound: the supervisor gives tunnel numbers below the table's size, and SAs that it has made for this lcore.
    public void Obey(EspOrder* order)
    {
        EspPair* pair = pairs[order->Tunnel];
        order->Accepted = true;
        switch (order->Kind)
        {
            case EspOrderKind.Add when context.Sad.Add(order->Inbound) == SadStatus.Added:
                context.Sad.Add(order->Outbound);
                break;
            case EspOrderKind.Add:
                order->Accepted = false;
                break;
            case EspOrderKind.Use:
                Queue(order, pair->Outbound != null);
                pair->Outbound = order->Outbound;
                pair->Inbound = order->Inbound;
                pair->Remote = order->Remote;
                pair->Port = order->Port;
                pair->Sources = order->Sources;
                pair->SourceCount = order->SourceCount;
                pair->AsksSa = order->AsksSa;
                pair->UserMtu = order->UserMtu;
                pairs.SetUser(order->Tunnel, order->User);
                order->Accepted = Lead(order->UserIPv4, order) & Lead(order->UserIPv6, order);
                break;
            case EspOrderKind.Move when pair->Outbound == order->Outbound:
                pair->Remote = order->Remote;
                break;
            case EspOrderKind.Move:
                break;
            case EspOrderKind.Remove:
                context.Sad.Remove(order->Inbound);
                context.Sad.Remove(order->Outbound);
                break;
        }
        if (context.Sad.RemovedCount != 0)
            context.Sad.FreeRemoved();
    }

    /// <summary>Leads a user's address into the tunnel, or nowhere when nothing is sent into it any more.</summary>
    /// <returns>False when there is no room in the table.</returns>
    private bool Lead(in InnerAddress address, EspOrder* order)
    {
        if (address.Family == 0)
            return true;
        int host = HostTarget.OfEsp(order->Tunnel);
        if (order->Outbound != null)
            return context.Hosts.TrySet(address, host);
        context.Hosts.Remove(address, host);
        return true;
    }

    /// <summary>A tunnel that begins to send gets queues, and one that sends no more loses them: its number may soon be another one's.</summary>
    private void Queue(EspOrder* order, bool sends)
    {
        if (context.Queues == null)
            return;
        if (order->Outbound == null)
            context.Queues.CloseEsp(order->Tunnel);
        else if (sends)
            context.Queues.ChangeEsp(order->Tunnel, order->Limits);
        else
            context.Queues.OpenEsp(order->Tunnel, order->Limits);
    }
}
