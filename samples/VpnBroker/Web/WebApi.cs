using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using VpnBroker.Monitoring;
using VpnBroker.Status;

namespace VpnBroker.Web;

/// <summary>What the page asks for, below <c>/api/</c>: JSON, read only.</summary>
/// <param name="rates">The readings of each second.</param>
/// <param name="read">Reads the counters with the sessions; null where the broker serves no users.</param>
/// <param name="flows">Reads the sessions inside of tunnels; null where the broker keeps none.</param>
/// <param name="clock">The time.</param>
internal sealed class WebApi(
    RateSampler rates, Func<Task<StatusReport>>? read, Func<FlowsRequest, Task<FlowsReport>>? flows, TimeProvider clock)
{
    private const int TopFlows = 20;
    private const string DefaultOrder = "rate";
    private const int DefaultUsers = 100;
    private const int MaximumUsers = 1000;
    private const string JsonType = "application/json; charset=utf-8";

    private static readonly TimeSpan s_usersLife = TimeSpan.FromMilliseconds(900);

    /// <summary>Lcores look through all their flows for such a reading, so it is made less often.</summary>
    private static readonly TimeSpan s_flowsLife = TimeSpan.FromSeconds(5);

    private readonly CachedReading<StatusReport>? _users = read is null ? null : new CachedReading<StatusReport>(read, s_usersLife, clock);

    private readonly Dictionary<string, CachedReading<FlowsReport>>? _flows = flows is null
        ? null
        : new[] { DefaultOrder, "bytes", "packets", "drops", "age" }.ToDictionary(
            order => order, order => new CachedReading<FlowsReport>(() => flows(new FlowsRequest(Sort: order, Top: TopFlows)), s_flowsLife, clock));

    /// <summary>The paths and their answers.</summary>
    public IReadOnlyDictionary<string, HttpPage> Pages => new Dictionary<string, HttpPage>(StringComparer.Ordinal)
    {
        ["/api/status"] = StatusAsync,
        ["/api/history"] = HistoryAsync,
        ["/api/users"] = UsersAsync,
        ["/api/flows"] = FlowsAsync,
    };

    /// <summary>The last reading without the sessions; an empty object before the first.</summary>
    private Task StatusAsync(HttpContext context) => rates.Latest is { } report
        ? SendAsync(context, report, WebJson.Default.StatusReport)
        : HttpEndpoint.SendAsync(context, JsonType, "{}"u8.ToArray());

    /// <summary>The rates of the last ten minutes, those behind <c>since</c> (Unix milliseconds).</summary>
    private Task HistoryAsync(HttpContext context)
    {
        bool isNumber = long.TryParse(Value(context, "since"), NumberStyles.None, CultureInfo.InvariantCulture, out long since);
        return SendAsync(context, new HistoryAnswer(rates.History.Since(isNumber ? since : 0)), WebJson.Default.HistoryAnswer);
    }

    /// <summary>
    /// The sessions: <c>limit</c> of them, in the order of <c>sort</c> (<c>rate</c>, <c>traffic</c>, <c>drops</c>, <c>age</c>, <c>user</c>), with
    /// <c>search</c> in the name, the group or an address.
    /// </summary>
    private async Task UsersAsync(HttpContext context)
    {
        if (_users is null)
        {
            await SendAsync(context, new UsersAnswer(false, 0, []), WebJson.Default.UsersAnswer);
            return;
        }
        bool isNumber = int.TryParse(Value(context, "limit"), NumberStyles.None, CultureInfo.InvariantCulture, out int wanted);
        int limit = isNumber ? Math.Min(wanted, MaximumUsers) : DefaultUsers;
        string search = Value(context, "search");
        StatusReport report = await _users.ReadAsync();
        SessionReport[] found = [.. report.Users.Where(user => search.Length == 0 || Has(user, search))];
        IEnumerable<SessionReport> sorted = Value(context, "sort") switch
        {
            "traffic" => found.OrderByDescending(user => user.Traffic.ReceivedBytes + user.Traffic.SentBytes),
            "drops" => found.OrderByDescending(user => user.Drops),
            "age" => found.OrderBy(user => user.AgeSeconds),
            "user" => found.OrderBy(user => user.User, StringComparer.OrdinalIgnoreCase),
            _ => found.OrderByDescending(user => (user.Traffic.Rate?.ReceivedBits ?? 0) + (user.Traffic.Rate?.SentBits ?? 0)),
        };
        await SendAsync(context, new UsersAnswer(true, found.Length, [.. sorted.Take(limit)]), WebJson.Default.UsersAnswer);
    }

    /// <summary>The first flows in the order of <c>sort</c> (<c>rate</c>, <c>bytes</c>, <c>packets</c>, <c>drops</c>, <c>age</c>).</summary>
    private async Task FlowsAsync(HttpContext context)
    {
        FlowsReport? report = _flows is null ? null : await (_flows.GetValueOrDefault(Value(context, "sort")) ?? _flows[DefaultOrder]).ReadAsync();
        await SendAsync(context, new FlowsAnswer(report), WebJson.Default.FlowsAnswer);
    }

    private static bool Has(SessionReport user, string text) => new[] { user.User, user.Group, user.Remote, user.IPv4, user.IPv6 }
        .Any(field => field?.Contains(text, StringComparison.OrdinalIgnoreCase) == true);

    private static string Value(HttpContext context, string key) =>
        context.Request.Query.TryGetValue(key, out StringValues values) ? values[0] ?? "" : "";

    private static Task SendAsync<T>(HttpContext context, T answer, JsonTypeInfo<T> type) =>
        HttpEndpoint.SendAsync(context, JsonType, JsonSerializer.SerializeToUtf8Bytes(answer, type));
}
