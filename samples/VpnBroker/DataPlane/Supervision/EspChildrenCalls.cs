using System.Net;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>Brings IKE's calls to the supervisor's thread.</summary>
internal sealed class EspChildrenCalls(Supervisor supervisor) : IEspChildren
{
    /// <inheritdoc/>
    public Action? LifetimePassed
    {
        get => supervisor.Children.LifetimePassed;
        set => supervisor.Children.LifetimePassed = value;
    }

    /// <inheritdoc/>
    public async Task InstallAsync(EspChildRequest request) => await await supervisor.CallAsync(() => supervisor.Children.Install(request));

    /// <inheritdoc/>
    public async Task<bool> ActivateAsync(uint inboundSpi) => await await supervisor.CallAsync(() => supervisor.Children.Activate(inboundSpi));

    /// <inheritdoc/>
    public async Task<bool> MoveAsync(uint inboundSpi, EspMode mode, IPEndPoint local, IPEndPoint remote) =>
        await await supervisor.CallAsync(() => supervisor.Children.Move(inboundSpi, mode, local, remote));

    /// <inheritdoc/>
    public async Task<EspActivity?> RemoveAsync(uint inboundSpi) => await await supervisor.CallAsync(() => supervisor.Children.Remove(inboundSpi));

    /// <inheritdoc/>
    public Task<IReadOnlyList<EspActivity>> ReadActivityAsync() => supervisor.CallAsync(supervisor.Children.ReadActivity);
}
