using System.Globalization;
using Bramble.Processes;

namespace Bramble.Lab.Network;

/// <summary>
/// Packet loss. DHCP and TFTP datagrams are lost by the cable; TCP segments, which the kernel sends and repeats, by a
/// rule of the namespace's firewall.
/// </summary>
internal static class LabLoss
{
    /// <param name="share">0 to 1, in either direction.</param>
    /// <exception cref="IOException">nft refuses.</exception>
    public static async Task SetAsync(LabCable cable, double share, CancellationToken cancellation)
    {
        cable.Loss = share;
        var rules = "add table ip lab-loss\ndelete table ip lab-loss\n";
        if (share > 0)
        {
            var parts = (int)Math.Round(share * 10000);
            rules += string.Create(CultureInfo.InvariantCulture, $$"""
                table ip lab-loss {
                  chain in {
                    type filter hook input priority 10;
                    iifname {{LabNamespaces.LabInterface}} meta l4proto tcp numgen random mod 10000 < {{parts}} drop
                  }
                  chain out {
                    type filter hook output priority 10;
                    oifname {{LabNamespaces.LabInterface}} meta l4proto tcp numgen random mod 10000 < {{parts}} drop
                  }
                }

                """);
        }
        var result = await ChildProcess.RunAsync("nft", ["-f", "-"], rules, timeout: TimeSpan.FromSeconds(10),
            cancellation: cancellation);
        if (!result.Succeeded) throw new IOException($"nft: {result.Complaint}");
    }
}
