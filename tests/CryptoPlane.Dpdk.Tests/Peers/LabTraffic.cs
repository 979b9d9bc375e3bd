using System.Globalization;
using System.Text.RegularExpressions;
using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Peers;

/// <summary>A dpdk-lab that sends numbered frames between two ports, both ways, or carries frames between them.</summary>
internal sealed partial class LabTraffic : IDisposable
{
    private readonly ExternalProgram _program;

    /// <summary>Starts it.</summary>
    /// <param name="command">"traffic", "wire" or "tunnel".</param>
    /// <param name="devices">Two devices with their arguments.</param>
    /// <param name="more">More arguments.</param>
    public LabTraffic(string command, string[] devices, params string[] more)
    {
        _program = DpdkLab.Start([command, .. devices.Select(device => device.Split(',')[0]), .. devices.SelectMany(device => new[] { "--vdev", device }), .. more]);
        _program.WaitForOutput("runs as user nobody");
    }

    /// <summary>The links of its two ports, such as "up down".</summary>
    public string Links => Last() is { } line ? line[(line.LastIndexOf("links ", StringComparison.Ordinal) + "links ".Length)..] : "";

    /// <summary>All that it said.</summary>
    public string AllOutput => _program.AllOutput;

    /// <summary>Waits until so many more frames than now have arrived in each direction. It must run the whole time.</summary>
    public void WaitForFrames(int more)
    {
        (long there, long back) = Received();
        WaitFor(() => Received() is var now && now.There >= there + more && now.Back >= back + more, $"{more} more frames in each direction");
    }

    /// <summary>Waits until its ports' links are as told.</summary>
    public void WaitForLinks(string links) => WaitFor(() => Links == links, $"the links are '{links}'");

    /// <summary>Dies without a farewell.</summary>
    public void Kill() => _program.Kill();

    /// <summary>Ends it in order: it had every packet back in its pool, and no frame that arrived was wrong.</summary>
    /// <param name="disorder">Whether frames may have come twice: a switch that dies has sent some that its peers do not know to be sent.</param>
    public void Finish(bool disorder = false)
    {
        _program.CloseInput();
        _program.WaitForExit().EnsureSuccess();
        foreach (Match lane in Lanes().Matches(Last() ?? ""))
        {
            Assert.Equal(0, Number(lane, "wrong"));
            Assert.True(disorder || Number(lane, "disordered") == 0, lane.Value);
        }
    }

    public void Dispose() => _program.Dispose();

    private void WaitFor(Func<bool> condition, string what)
    {
        if (!Eventually.Becomes(() => _program.HasExited || condition(), Eventually.DefaultTimeout) || _program.HasExited)
            Assert.Fail($"{(_program.HasExited ? "The program ended" : "In vain")} while waiting until {what}. It wrote:\n{Tail(_program.AllOutput)}");
    }

    private (long There, long Back) Received()
    {
        MatchCollection lanes = Lanes().Matches(Last() ?? "");
        return lanes.Count == 2 ? (Number(lanes[0], "received"), Number(lanes[1], "received")) : (0, 0);
    }

    private static long Number(Match lane, string name) => long.Parse(lane.Groups[name].ValueSpan, CultureInfo.InvariantCulture);

    /// <summary>The last whole line.</summary>
    private string? Last()
    {
        string output = _program.Output;
        int end = output.LastIndexOf('\n');
        string line = end < 0 ? "" : output[(output.LastIndexOf('\n', Math.Max(end - 1, 0)) + 1)..end];
        return line.StartsWith("there ", StringComparison.Ordinal) ? line : null;
    }

    private static string Tail(string text) => text.Length < 3000 ? text : text[^3000..];

    [GeneratedRegex(@"(there|back) sent (?<sent>\d+) received (?<received>\d+) wrong (?<wrong>\d+) disordered (?<disordered>\d+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Lanes();
}
