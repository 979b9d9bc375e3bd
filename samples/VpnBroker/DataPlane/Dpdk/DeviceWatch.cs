using System.Diagnostics;
using CryptoPlane.Dpdk;
using Microsoft.Extensions.Logging;

namespace VpnBroker.DataPlane.Dpdk;

/// <summary>
/// A control thread that looks after the devices. Every two milliseconds: a crypto device that was given up is stopped, for which its
/// lcores wait. Ten times a second: the links of Ethernet ports. The log tells of either.
/// </summary>
internal sealed partial class DeviceWatch : IDisposable
{
    private static readonly TimeSpan s_cryptoPeriod = TimeSpan.FromMilliseconds(2), s_linkPeriod = TimeSpan.FromMilliseconds(100);

    private readonly IReadOnlyList<Cryptodev> _crypto;
    private readonly IReadOnlyList<EthernetPortUnit> _ports;
    private readonly ILogger _logger;
    private readonly bool[] _failureTold, _stopTold;
    private readonly ManualResetEvent _stop = new(false);
    private readonly Thread _thread;

    /// <summary>Starts to watch.</summary>
    public DeviceWatch(IReadOnlyList<Cryptodev> crypto, IReadOnlyList<EthernetPortUnit> ports, ILogger logger)
    {
        _crypto = crypto;
        _ports = ports;
        _logger = logger;
        _failureTold = new bool[crypto.Count];
        _stopTold = new bool[crypto.Count];
        _thread = new Thread(Run) { IsBackground = true, Name = "device-watch" };
        _thread.Start();
    }

    /// <summary>Ends the thread: behind the lcores, since these wait for it where a device has failed.</summary>
    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void Run()
    {
        foreach (EthernetPortUnit port in _ports)
            TellLink(port);
        long linksSeen = Stopwatch.GetTimestamp();
        while (!_stop.WaitOne(_crypto.Count == 0 ? s_linkPeriod : s_cryptoPeriod))
        {
            for (int i = 0; i < _crypto.Count; i++)
                Look(i);
            if (Stopwatch.GetElapsedTime(linksSeen) < s_linkPeriod)
                continue;
            linksSeen = Stopwatch.GetTimestamp();
            foreach (EthernetPortUnit port in _ports.Where(port => port.Refresh()))
                TellLink(port);
        }
    }

    private void TellLink(EthernetPortUnit port)
    {
        EthLink link = port.Link;
        if (link.IsRemoved)
            LogRemoved(_logger, port.Config.Name, port.Info.Name);
        else if (link.IsUp)
            LogLinkUp(_logger, port.Config.Name, port.Info.Name, link.Megabits);
        else
            LogLinkDown(_logger, port.Config.Name, port.Info.Name);
    }

    private void Look(int index)
    {
        Cryptodev device = _crypto[index];
        if (!device.HasFailed || _stopTold[index])
            return;
        if (!_failureTold[index])
            LogFailed(_logger, device.Info.Name);
        _failureTold[index] = true;
        if (!device.TryStopFailed())
            return;
        LogStopped(_logger, device.Info.Name);
        _stopTold[index] = true;
    }

    [LoggerMessage(40, LogLevel.Error, "The crypto device {Device} has failed or stalls: it is given up, and the CPU takes its work")]
    private static partial void LogFailed(ILogger logger, string device);

    [LoggerMessage(42, LogLevel.Information, "Port {Port} ({Device}): the link is up, {Megabits} Mb/s")]
    private static partial void LogLinkUp(ILogger logger, string port, string device, long megabits);

    [LoggerMessage(43, LogLevel.Warning, "Port {Port} ({Device}): the link is down")]
    private static partial void LogLinkDown(ILogger logger, string port, string device);

    [LoggerMessage(44, LogLevel.Error, "Port {Port} ({Device}): the device is gone; restart the broker when it is back")]
    private static partial void LogRemoved(ILogger logger, string port, string device);

    [LoggerMessage(41, LogLevel.Warning, "The crypto device {Device} is stopped; restart the broker when it is well again")]
    private static partial void LogStopped(ILogger logger, string device);
}
