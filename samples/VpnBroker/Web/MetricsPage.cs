using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using VpnBroker.Monitoring.Metrics;

namespace VpnBroker.Web;

/// <summary><c>/metrics</c>, for Prometheus.</summary>
internal static class MetricsPage
{
    /// <summary>The page's path.</summary>
    public const string Path = "/metrics";

    /// <summary>Answers with the format that the scraper likes better.</summary>
    public static Task AnswerAsync(HttpContext context, PrometheusText metrics)
    {
        bool openMetrics = PrefersOpenMetrics(context.Request.Headers.Accept);
        byte[] body = Encoding.UTF8.GetBytes(metrics.Write(openMetrics));
        return HttpEndpoint.SendAsync(context, openMetrics ? PrometheusText.OpenMetricsType : PrometheusText.PlainType, body);
    }

    /// <summary>Whether an Accept header wants OpenMetrics 1.0 at least as much as plain text.</summary>
    internal static bool PrefersOpenMetrics(IList<string?> accept)
    {
        if (!MediaTypeHeaderValue.TryParseList([.. accept.OfType<string>()], out IList<MediaTypeHeaderValue>? types))
            return false;
        double open = Best(types, type => type.MediaType == "application/openmetrics-text" && VersionOf(type) is null or "1.0.0");
        return open > 0 && open >= Best(types, type => type.MediaType == "text/plain" || type.MediaType == "text/*");
    }

    private static double Best(IList<MediaTypeHeaderValue> types, Func<MediaTypeHeaderValue, bool> isMeant) =>
        types.Where(isMeant).Select(Quality).DefaultIfEmpty(0).Max();

    private static string? VersionOf(MediaTypeHeaderValue type) =>
        type.Parameters.FirstOrDefault(parameter => parameter.Name == "version")?.Value.Value?.Trim('"');

    private static double Quality(MediaTypeHeaderValue type) => type.Quality ?? 1;
}
