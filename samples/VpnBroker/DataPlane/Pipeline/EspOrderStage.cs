using CryptoPlane.Esp;

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
                pair->Outbound = order->Outbound;
                pair->Inbound = order->Inbound;
                pair->Remote = order->Remote;
                pair->Port = order->Port;
                pair->Sources = order->Sources;
                pair->SourceCount = order->SourceCount;
                pair->AsksSa = order->AsksSa;
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
}
