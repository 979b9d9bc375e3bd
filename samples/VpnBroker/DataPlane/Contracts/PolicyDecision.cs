using System.Net;
using CryptoPlane.Policy;

namespace VpnBroker.DataPlane.Contracts;

/// <summary>What a rule with <c>log: true</c> has decided about a flow.</summary>
/// <param name="Rule">The rule's name.</param>
/// <param name="Action">What it did.</param>
/// <param name="User">Who opened the flow; null for nobody that is known.</param>
/// <param name="Source">The initiator.</param>
/// <param name="SourcePort">The initiator's port; null without ports.</param>
/// <param name="Destination">The responder.</param>
/// <param name="DestinationPort">The responder's port; null without ports.</param>
/// <param name="Protocol">The upper protocol; null where it is not known.</param>
public sealed record PolicyDecision(
    string Rule, PolicyAction Action, string? User, IPAddress Source, ushort? SourcePort, IPAddress Destination, ushort? DestinationPort, byte? Protocol);
