using System.Text.Json.Serialization;
using VpnBroker.Monitoring;
using VpnBroker.Status;

namespace VpnBroker.Web;

/// <summary>Rates over time.</summary>
/// <param name="Points">One per second, the oldest first.</param>
public sealed record HistoryAnswer(IReadOnlyList<RatePoint> Points);

/// <summary>Some sessions.</summary>
/// <param name="IsServed">Whether the broker serves users at all.</param>
/// <param name="Found">How many sessions the search found.</param>
/// <param name="Users">The first of them.</param>
public sealed record UsersAnswer(bool IsServed, int Found, IReadOnlyList<SessionReport> Users);

/// <summary>The first flows.</summary>
/// <param name="Report">What was read; null where the broker keeps no flows.</param>
public sealed record FlowsAnswer(FlowsReport? Report);

/// <summary>JSON without reflection. Its encoder escapes whatever has a meaning in HTML.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StatusReport))]
[JsonSerializable(typeof(HistoryAnswer))]
[JsonSerializable(typeof(UsersAnswer))]
[JsonSerializable(typeof(FlowsAnswer))]
internal sealed partial class WebJson : JsonSerializerContext;
