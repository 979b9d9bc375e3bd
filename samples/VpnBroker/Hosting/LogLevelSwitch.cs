using Microsoft.Extensions.Logging;

namespace VpnBroker.Hosting;

/// <summary>The least level that is logged, which a reload may change.</summary>
public sealed class LogLevelSwitch
{
    private volatile int _level = (int)LogLevel.Information;

    /// <summary>The level.</summary>
    public LogLevel Level
    {
        get => (LogLevel)_level;
        set => _level = (int)value;
    }
}
