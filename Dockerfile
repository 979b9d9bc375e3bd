# The CryptoPlane broker in a container: Debian 12 with its DPDK 22.11, the .NET runtime, and the broker as a user without rights.
#
#   docker build --build-arg DOTNET_IMAGE=... -t cryptoplane-broker .
#   docker run --rm -v ./broker.yaml:/etc/cryptoplane/broker.yaml:ro -v state:/var/lib/cryptoplane cryptoplane-broker
#
# DOTNET_IMAGE is any image for Linux x64 with the .NET SDK that global.json names in /usr/share/dotnet, such as Microsoft's dotnet/sdk:10.0:
# only that directory is taken from it. What a container needs besides (devices, huge pages, capabilities) is in docs/kubernetes/README.md.
ARG BASE_IMAGE=debian:bookworm-slim
ARG DOTNET_IMAGE
# hadolint ignore=DL3006
FROM ${DOTNET_IMAGE} AS dotnet

# hadolint ignore=DL3006
FROM ${BASE_IMAGE} AS build
# The library's kernels and the shim over DPDK are compiled here, against the DPDK that the broker runs with.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends binutils ca-certificates cmake gcc libc6-dev libdpdk-dev libssl3 make pkg-config util-linux \
 && rm -rf /var/lib/apt/lists/*
COPY --from=dotnet /usr/share/dotnet /usr/share/dotnet
ENV PATH=/usr/share/dotnet:$PATH DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=true
WORKDIR /source
# First what changes seldom and takes long.
COPY eng eng
COPY native native
RUN eng/build-native.sh aead && eng/build-native.sh dpdk
COPY . .
# A broker without the native code would do its cryptography slowly and know no DPDK: that is a failure here. The audit of packages for known
# faults is CI's.
RUN dotnet publish samples/VpnBroker -c Release -p:NuGetAudit=false -o /out/lib/cryptoplane \
 && test -f /out/lib/cryptoplane/libcryptoplane_aead.so && test -f /out/lib/cryptoplane/libcryptoplane_dpdk.so \
 && mkdir -p /out/share/dotnet/shared \
 && cp -a /usr/share/dotnet/host /usr/share/dotnet/LICENSE.txt /usr/share/dotnet/ThirdPartyNotices.txt /out/share/dotnet/ \
 && cp -a /usr/share/dotnet/shared/Microsoft.NETCore.App /usr/share/dotnet/shared/Microsoft.AspNetCore.App /out/share/dotnet/shared/

# hadolint ignore=DL3006
FROM ${BASE_IMAGE}
# DPDK's drivers: network cards, virtio_user, af_packet and the rest, software crypto devices, and QuickAssist (in "common").
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libssl3 \
      librte-meta-bus librte-meta-common librte-meta-crypto librte-meta-mempool librte-meta-net \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 cryptoplane \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/cryptoplane --shell /usr/sbin/nologin cryptoplane \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/cryptoplane /run/cryptoplane \
 && install -d -o 10001 -g 10001 -m 0750 /var/log/cryptoplane \
 && install -d /etc/cryptoplane
COPY --from=build /out /usr
# A container's capabilities reach a user who is not root by an executable that may take them: setpriv under another name, which hands on
# those that it is asked for and that the container has. The broker itself asks for none.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libcap2-bin && rm -rf /var/lib/apt/lists/* \
 && cp /usr/bin/setpriv /usr/lib/cryptoplane/with-capabilities \
 && setcap cap_net_admin,cap_net_bind_service,cap_net_raw,cap_ipc_lock=p /usr/lib/cryptoplane/with-capabilities \
 && apt-get purge -y --auto-remove libcap2-bin \
 && ln -s /usr/lib/cryptoplane/broker /usr/lib/cryptoplane/with-capabilities /usr/bin/
# Neither pipes for debuggers in /tmp, nor a file system that must be writable.
ENV DOTNET_ROOT=/usr/share/dotnet DOTNET_EnableDiagnostics=0
USER 10001:10001
WORKDIR /var/lib/cryptoplane
# SIGTERM tells the clients and ends within five seconds.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/lib/cryptoplane/broker"]
CMD ["run", "--config", "/etc/cryptoplane/broker.yaml"]
