using System.Text;
using VpnBroker.Control;
using VpnBroker.Status;

namespace VpnBroker.Cli.Commands;

/// <summary><c>broker ipsec …</c></summary>
internal static class IpsecCommands
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_pollPeriod = TimeSpan.FromMilliseconds(100);

    /// <summary>Brings a peer up and waits until it is.</summary>
    public static Task<int> UpAsync(Invocation invocation) => CommandErrors.GuardAsync(invocation, async () =>
    {
        string socket = ControlCommands.SocketOf(invocation), peer = invocation.Arguments[0];
        ControlResponse begun = ControlClient.Send(socket, new ControlRequest("ipsec-up", Peer: peer));
        if (begun.Error is not null || invocation.Has("--no-wait"))
            return ControlCommands.Show(invocation, begun);
        DateTime end = DateTime.UtcNow + s_patience;
        while (DateTime.UtcNow < end)
        {
            if (Sample(socket).Any(sa => sa.Peer == peer && sa.State == "established" && sa.Children.Count > 0))
            {
                await invocation.Console.Out.WriteLineAsync($"{peer} is up");
                return ExitCode.Ok;
            }
            await Task.Delay(s_pollPeriod);
        }
        await invocation.Console.Error.WriteLineAsync($"{peer} is not up after {s_patience.TotalSeconds} s; the broker goes on trying, and its log says why it fails");
        return ExitCode.Failure;
    });

    public static Task<int> DownAsync(Invocation invocation) => SendAsync(invocation, new ControlRequest("ipsec-down", Peer: invocation.Arguments[0]));

    public static Task<int> RekeyAsync(Invocation invocation) =>
        SendAsync(invocation, new ControlRequest("ipsec-rekey", Peer: invocation.Arguments[0], IkeSa: invocation.Has("--ike")));

    public static Task<int> ListAsync(Invocation invocation) => CommandErrors.GuardAsync(invocation, () =>
    {
        var text = new StringBuilder();
        StatusReport status = Read(ControlCommands.SocketOf(invocation));
        if (status.Ipsec.Count == 0)
            text.Append("the configuration has no IPsec peers\n");
        else
            IpsecText.Write(text, status.Ipsec);
        if (status.PeerShares.Count != 0)
            PeerShareText.Write(text.Append('\n'), status.PeerShares);
        invocation.Console.Out.Write(text.ToString());
        return ExitCode.Ok;
    });

    private static Task<int> SendAsync(Invocation invocation, ControlRequest request) =>
        CommandErrors.GuardAsync(invocation, () => ControlCommands.Show(invocation, ControlClient.Send(ControlCommands.SocketOf(invocation), request)));

    private static IReadOnlyList<IpsecReport> Sample(string socket) => Read(socket).Ipsec;

    private static StatusReport Read(string socket)
    {
        ControlResponse response = ControlClient.Send(socket, new ControlRequest("status", Users: false));
        return response.Status ?? throw new ControlSocketException(response.Error ?? "the broker gave no report");
    }
}
