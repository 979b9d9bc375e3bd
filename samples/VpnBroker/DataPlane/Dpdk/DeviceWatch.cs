using CryptoPlane.Dpdk;
using Microsoft.Extensions.Logging;

namespace VpnBroker.DataPlane.Dpdk;

/// <summary>
/// A control thread that looks at the devices every two milliseconds: a crypto device that was given up is stopped, for which its lcores
/// wait, and the log tells of it.
/// </summary>
internal sealed partial class DeviceWatch : IDisposable
{
    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(2);

    private readonly IReadOnlyList<Cryptodev> _crypto;
    private readonly ILogger _logger;
    private readonly bool[] _failureTold, _stopTold;
    private readonly ManualResetEvent _stop = new(false);
    private readonly Thread _thread;

    /// <summary>Starts to watch.</summary>
    public DeviceWatch(IReadOnlyList<Cryptodev> crypto, ILogger logger)
    {
        _crypto = crypto;
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
        while (!_stop.WaitOne(s_period))
        {
            for (int i = 0; i < _crypto.Count; i++)
                Look(i);
        }
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

    [LoggerMessage(41, LogLevel.Warning, "The crypto device {Device} is stopped; restart the broker when it is well again")]
    private static partial void LogStopped(ILogger logger, string device);
}
