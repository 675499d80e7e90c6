using Bramble.Boot.Dhcp;
using Bramble.Contracts.Api;
using Bramble.Contracts.Leases;
using Bramble.Contracts.Security;
using Bramble.Manager.Api;
using Bramble.Manager.Nodes;

namespace Bramble.Manager.Leases;

/// <summary>The REST door to DHCP leases.</summary>
public static class LeaseEndpoints
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet(ApiRoutes.Leases, List).RequireAuthorization(nameof(Role.Viewer));

    private static IResult List(LeaseTable leases, NodeRegistry nodes, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        return Json.Of<IReadOnlyList<LeaseView>>([.. leases.Snapshot()
            .Where(lease => lease.State != LeaseState.Declined || lease.ExpiresAt > now)
            .OrderBy(lease => lease.Network, StringComparer.Ordinal).ThenBy(lease => lease.Address)
            .Select(lease => new LeaseView(
                lease.Network, lease.Address.ToString(), lease.Mac.ToString(),
                lease.State == LeaseState.Bound && lease.ExpiresAt <= now ? "expired"
                    : lease.State.ToString().ToLowerInvariant(),
                lease.ClientHostName, lease.ExpiresAt, nodes.Find(lease.Mac)?.Name))]);
    }
}
