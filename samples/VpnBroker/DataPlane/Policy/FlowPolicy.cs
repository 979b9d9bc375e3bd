using CryptoPlane.Flows.Sessions;
using CryptoPlane.Policy;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.DataPlane.Policy;

/// <summary>Asks the lcore's policy about sessions, keeps the answers in them, and counts by rule.</summary>
internal sealed unsafe class FlowPolicy(LcoreContext context)
{
    /// <summary>The generation that verdicts must be of; 0 without a policy.</summary>
    public uint Generation => context.Policy == null ? 0 : context.Policy->Generation;

    /// <summary>Asks about a session: when it begins, when its path has changed, and when the rules have.</summary>
    /// <param name="key">The session's key.</param>
    /// <param name="session">The session, whose initiator and path are known.</param>
    public void Decide(in SessionKey key, SessionState* session)
    {
        session->PolicyGeneration = Generation;
        session->Flags &= ~(SessionFlags.Denied | SessionFlags.Rejected);
        session->RuleId = 0;
        session->TrafficClass = 0;
        (session->DecidedIngress, session->DecidedEgress) = (session->IngressKind, session->EgressKind);
        if (context.Policy == null)
            return;
        bool isUpper = (session->Flags & SessionFlags.InitiatorIsUpper) != 0;
        SessionAddress source = isUpper ? key.Upper : key.Lower, destination = isUpper ? key.Lower : key.Upper;
        var query = new PolicyQuery
        {
            SourceHigh = source.High,
            SourceLow = source.Low,
            DestinationHigh = destination.High,
            DestinationLow = destination.Low,
            Subject = session->Subject,
            SourcePort = isUpper ? key.UpperPort : key.LowerPort,
            DestinationPort = isUpper ? key.LowerPort : key.UpperPort,
            Protocol = key.Protocol,
            Ingress = (byte)session->IngressKind,
            Egress = (byte)session->EgressKind,
            IsIPv6 = !source.IsIPv4,
            HasProtocol = key.HasProtocol,
            HasPorts = key.HasPorts,
        };
        PolicyVerdict verdict = context.Policy->Evaluate(query);
        session->RuleId = verdict.Rule;
        session->TrafficClass = verdict.TrafficClass;
        session->Flags |= verdict.Action switch
        {
            PolicyAction.Allow => SessionFlags.None,
            PolicyAction.Deny => SessionFlags.Denied,
            _ => SessionFlags.Denied | SessionFlags.Rejected,
        };
        context.RuleCounters.CountFlow(verdict.Rule);
        if (verdict.Log)
            context.PolicyLog.Note(query, verdict, context.Now);
    }
}
