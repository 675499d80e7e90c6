using System.Net;
using Bramble.Processes;
using Bramble.Testing;
using Bramble.Wire;
using Bramble.Wire.Dns;

namespace Bramble.Boot.Tests.Dns;

/// <summary>dig asks us, and we ask dnsmasq.</summary>
public sealed class DnsRealClientTests
{
    private static string? Missing => !File.Exists("/usr/bin/dig") ? "needs dig (Debian package bind9-dnsutils)"
        : !File.Exists("/usr/sbin/dnsmasq") ? "needs dnsmasq (Debian package dnsmasq-base)" : null;

    [Fact]
    public async Task Dig_gets_what_it_asks_for()
    {
        if (Missing is { } missing) Assert.Skip(missing);
        await using var dns = await RunningDns.StartAsync(new RackZones { Current = RackZones.With(Many()) });
        Assert.Equal("10.77.0.7\n", await DigAsync(dns, "+short", "node-07.bramble.internal"));
        Assert.Equal("10.77.0.7\n", await DigAsync(dns, "+short", "+tcp", "node-07.bramble.internal"));
        Assert.Equal("node-07.bramble.internal.\n", await DigAsync(dns, "+short", "-x", "10.77.0.7"));
        Assert.Equal("0 0 9100 node-07.bramble.internal.\n",
            await DigAsync(dns, "+short", "SRV", "_metrics._tcp.bramble.internal"));
        Assert.Contains("status: NXDOMAIN", await DigAsync(dns, "none.bramble.internal"), StringComparison.Ordinal);
        var noData = await DigAsync(dns, "AAAA", "node-07.bramble.internal");
        Assert.Contains("status: NOERROR", noData, StringComparison.Ordinal);
        Assert.Matches(@"ANSWER: 0, AUTHORITY: 1", noData);
        Assert.Matches(@"IN\s+SOA\s+ns.bramble.internal. hostmaster.bramble.internal. 7 3600 600 86400 5", noData);
        Assert.Matches(@"flags: qr aa rd;", noData);
        Assert.Contains("Transfer failed", await DigAsync(dns, "AXFR", "bramble.internal"), StringComparison.Ordinal);
        Assert.Contains("RFC8482", await DigAsync(dns, "ANY", "node-07.bramble.internal"), StringComparison.Ordinal);
        Assert.Contains("status: BADVERS",
            await DigAsync(dns, "+edns=7", "+noednsnegotiation", "node-07.bramble.internal"), StringComparison.Ordinal);
        Assert.Contains("status: NOTIMP",
            await DigAsync(dns, "+opcode=STATUS", "node-07.bramble.internal"), StringComparison.Ordinal);
        Assert.Contains("status: REFUSED", await DigAsync(dns, "www.example.org"), StringComparison.Ordinal);
        // 70 addresses take 1200 octets: too many for 512, and for what we send over UDP at most with 80.
        Assert.Contains("flags: qr aa tc rd",
            await DigAsync(dns, "+ignore", "+noedns", "many.bramble.internal"), StringComparison.Ordinal);
        Assert.Contains("flags: qr aa rd;",
            await DigAsync(dns, "+ignore", "+bufsize=4096", "many.bramble.internal"), StringComparison.Ordinal);
        Assert.Contains("flags: qr aa tc rd",
            await DigAsync(dns, "+ignore", "+bufsize=700", "many.bramble.internal"), StringComparison.Ordinal);
        Assert.Contains(
            "ANSWER: 70,", await DigAsync(dns, "+noedns", "many.bramble.internal"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_of_others_come_from_dnsmasq_the_long_ones_over_tcp_and_are_remembered()
    {
        if (Missing is { } missing) Assert.Skip(missing);
        await using var upstream = await Dnsmasq.StartAsync();
        await using var dns = await RunningDns.StartAsync(new RackZones(), [upstream.EndPoint]);
        var answer = await DigAsync(dns, "www.example.org");
        Assert.Matches(@"www.example.org.\s+\d+\s+IN\s+A\s+192.0.2.80", answer);
        Assert.Matches("flags: qr rd ra;", answer);
        Assert.Contains("status: NXDOMAIN", await DigAsync(dns, "none.example.org"), StringComparison.Ordinal);
        Assert.Equal("mail.example.org.\n192.0.2.25\n", await DigAsync(dns, "+short", "alias.example.org"));
        Assert.Equal("10 mail.example.org.\n", await DigAsync(dns, "+short", "MX", "example.org"));
        Assert.Contains(new string('x', 200), await DigAsync(dns, "+tcp", "TXT", "long.example.org"),
            StringComparison.Ordinal);
        Assert.Contains("10.77.0.7", await DigAsync(dns, "node-07.bramble.internal"), StringComparison.Ordinal);
        await upstream.DisposeAsync();
        Assert.Equal("192.0.2.80\n", await DigAsync(dns, "+short", "www.example.org"));
        Assert.Contains("status: SERVFAIL", await DigAsync(dns, "new.example.org"), StringComparison.Ordinal);
    }

    private static async Task<string> DigAsync(RunningDns dns, params string[] arguments)
    {
        var result = await ChildProcess.RunAsync("dig",
            ["@127.0.0.1", "-p", $"{dns.Port}", "+tries=1", "+timeout=10", .. arguments],
            environment: new Dictionary<string, string> { ["HOME"] = "/nonexistent" },
            timeout: TimeSpan.FromSeconds(20), cancellation: TestContext.Current.CancellationToken);
        return result.Output;
    }

    private static DnsRecord[] Many() => [.. Enumerable.Range(0, 70).Select(i =>
        DnsRecord.A(RackZones.Zone.Prepend("many"), 10, new IPv4Address(0x0a4e0000u + (uint)i)))];

    /// <summary>dnsmasq as a name server of somebody else.</summary>
    private sealed class Dnsmasq(System.Diagnostics.Process process, IPEndPoint endPoint) : IAsyncDisposable
    {
        private bool _ended;

        public IPEndPoint EndPoint => endPoint;

        public static async Task<Dnsmasq> StartAsync()
        {
            var port = RunningDns.FreePort();
            var process = ChildProcess.Start("dnsmasq",
            [
                "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file=",
                "--user=root", "--bind-interfaces", "--listen-address=127.0.0.1", $"--port={port}",
                "--local=/example.org/", "--auth-ttl=60", "--local-ttl=60",
                "--host-record=www.example.org,192.0.2.80", "--host-record=mail.example.org,192.0.2.25",
                "--cname=alias.example.org,mail.example.org", "--mx-host=example.org,mail.example.org,10",
                "--txt-record=long.example.org," + string.Join(',', Enumerable.Repeat(new string('x', 200), 10)),
            ]);
            var dnsmasq = new Dnsmasq(process, new IPEndPoint(IPAddress.Loopback, port));
            await Patience.UntilAsync(() => Listens(port), "dnsmasq");
            return dnsmasq;
        }

        public async ValueTask DisposeAsync()
        {
            if (_ended) return;
            _ended = true;
            ChildProcess.Kill(process);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            process.Dispose();
        }

        private static bool Listens(int port)
        {
            try
            {
                using var connection = new TcpConversation(new IPEndPoint(IPAddress.Loopback, port));
                return true;
            }
            catch (System.Net.Sockets.SocketException)
            {
                return false;
            }
        }
    }
}
