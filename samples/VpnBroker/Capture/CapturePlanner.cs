using System.Net;
using CryptoPlane.Capture;
using VpnBroker.Audit;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.Capture;

/// <summary>A request that was checked.</summary>
/// <param name="Plan">What the data plane is told.</param>
/// <param name="Points">The points of the plan.</param>
/// <param name="LeftOut">Points that <c>--all</c> does not take, because they show users' traffic.</param>
public sealed record CheckedCapture(CapturePlan Plan, IReadOnlyList<CapturePoint> Points, IReadOnlyList<CapturePoint> LeftOut)
{
    /// <summary>Whether users' traffic will be seen in clear.</summary>
    public bool ShowsUsersTraffic => Points.Any(point => point.ShowsUsersTraffic);
}

/// <summary>Decides what of a request is done: everything is bounded, and users' traffic is shown only to who was allowed and said so.</summary>
public static class CapturePlanner
{
    /// <summary>The option by which an operator says so.</summary>
    public const string AcknowledgeOption = "--i-know-this-shows-users-traffic";

    private const long MaxPackets = 10_000_000, MaxBytes = 4L << 30;
    private const int MaxSeconds = 3600, MaxSample = 1_000_000;

    /// <summary>Checks a request.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="points">The data plane's points.</param>
    /// <param name="decryptedAllowed">Whether the configuration allows to show users' traffic.</param>
    /// <param name="addressesOf">A user's inner addresses.</param>
    /// <exception cref="CaptureRefusedException">It is not done.</exception>
    public static CheckedCapture Check(
        CaptureRequest request, IReadOnlyList<CapturePoint> points, bool decryptedAllowed, Func<string, IReadOnlyList<IPAddress>> addressesOf)
    {
        ArgumentNullException.ThrowIfNull(request);
        CheckBounds(request);
        List<CapturePoint> chosen = Choose(request, points);
        List<CapturePoint> leftOut = [];
        if (request.All && !request.Inner && !(decryptedAllowed && request.Acknowledged))
        {
            // Ports that were named are not left out in silence: they are refused below.
            leftOut = [.. chosen.Where(point => point.ShowsUsersTraffic && request.Ports?.Contains(point.Name) != true)];
            chosen = [.. chosen.Except(leftOut)];
        }
        if (chosen.Count == 0)
            throw new CaptureRefusedException($"there is nothing to be captured{(request.Lcore is { } only ? $" on lcore {only}" : "")}{(leftOut.Count > 0 ? " without users' traffic" : "")}");
        if (chosen.FirstOrDefault(point => point.ShowsUsersTraffic) is { } clear)
            RefuseUnlessAllowed(clear, decryptedAllowed, request.Acknowledged);
        return new CheckedCapture(
            new CapturePlan
            {
                Points = [.. chosen.Select(point => point.Number)],
                Lcores = [.. chosen.SelectMany(point => point.Lcores).Where(lcore => request.Lcore is null || request.Lcore == lcore).Distinct().Order()],
                Filter = CaptureFilterText.Parse(request.Filter, addressesOf),
                SnapLength = request.Snap,
                SampleEvery = request.Sample,
            },
            chosen, leftOut);
    }

    private static List<CapturePoint> Choose(CaptureRequest request, IReadOnlyList<CapturePoint> points)
    {
        IReadOnlyList<string> names = request.Ports ?? [];
        if (names.Count == 0 && !request.Inner && !request.All)
            throw new CaptureRefusedException($"say what to capture: --port NAME ({Known(points)}), --inner or --all");
        if (request.Lcore is { } lcore && !points.Any(point => point.Lcores.Contains(lcore)))
            throw new CaptureRefusedException($"there is no lcore {lcore}: \"broker status\" lists them");
        foreach (string name in names)
        {
            if (!points.Any(point => point.Name == name && point.Number >= CapturePoint.FirstPort))
                throw new CaptureRefusedException($"there is no port {PrintableName.Of(name)}: there are {Known(points)}");
        }
        return
        [
            .. points.Where(point => (request.All || names.Contains(point.Name) || (request.Inner && point.Number < CapturePoint.FirstPort))
                && (request.Lcore is null || point.Lcores.Contains(request.Lcore.Value))),
        ];
    }

    private static string Known(IReadOnlyList<CapturePoint> points) =>
        string.Join(", ", points.Where(point => point.Number >= CapturePoint.FirstPort).Select(point => point.Name).DefaultIfEmpty("no ports"));

    private static void RefuseUnlessAllowed(CapturePoint point, bool allowed, bool acknowledged)
    {
        string what = point.Number < CapturePoint.FirstPort ? "--inner" : $"port {point.Name}";
        if (!allowed)
            throw new CaptureRefusedException($"{what} shows users' traffic in clear, which this broker's configuration does not allow: \"capture: {{decrypted: allowed}}\" in it does, after \"broker reload\"");
        if (!acknowledged)
            throw new CaptureRefusedException($"{what} shows users' traffic in clear: repeat the command with {AcknowledgeOption} if you may see it; it will be written to the audit log");
    }

    private static void CheckBounds(CaptureRequest request)
    {
        Within("packets", request.Packets, MaxPackets);
        Within("seconds", request.Seconds, MaxSeconds);
        Within("bytes", request.Bytes, MaxBytes);
        Within("snap", request.Snap, CaptureRequest.StandardSnap);
        Within("sample", request.Sample, MaxSample);
    }

    private static void Within(string option, long value, long maximum)
    {
        if (value < 1 || value > maximum)
            throw new CaptureRefusedException($"--{option} {value}: write a number from 1 to {maximum}; every capture is bounded");
    }
}
