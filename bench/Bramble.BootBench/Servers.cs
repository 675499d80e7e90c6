using System.Globalization;
using System.Text;

namespace Bramble.BootBench;

/// <summary>How each server is started, as somebody who knows it would: no logs of each packet, no probing.</summary>
internal sealed class Servers(BenchNetwork network, string brambled, string folder)
{
    public const string Brambled = "brambled";

    /// <summary>Where what they serve lies.</summary>
    public string Root => Path.Combine(folder, "tree");

    private string State => Path.Combine(folder, "state");

    public const string TftpFile = "kernel8.img";
    public const string HttpFile = "image.raw";

    public static int AddressIndex(string name) => name switch
    {
        Brambled => 0,
        "dnsmasq" => 1,
        "tftpd-hpa" => 2,
        "atftpd" => 3,
        "nginx" => 4,
        _ => 5,
    };

    public static string Address(string name) => BenchNetwork.ServerAddress(AddressIndex(name));

    public static int HttpPort(string name) => name == Brambled ? 8067 : 80;

    public static string HttpPath(string name) => (name == Brambled ? "/boot/" : "/") + HttpFile;

    /// <param name="dhcp">It answers DHCP alone, with leases of its own kind of durability; else files alone.</param>
    public Server Start(string name, bool dhcp)
    {
        Directory.CreateDirectory(State);
        Directory.CreateDirectory(Root);
        return name switch
        {
            Brambled => StartBrambled(dhcp),
            "dnsmasq" => StartDnsmasq(dhcp),
            "tftpd-hpa" => Server.Start(name, network, "in.tftpd",
                ["-L", "-a", Address(name) + ":69", "-u", "root", "-s", Root]),
            "atftpd" => Server.Start(name, network, "atftpd",
                ["--daemon", "--no-fork", "--bind-address", Address(name), "--tftpd-timeout", "0", "--maxthread",
                    "1000", "--user", "root.root", "--verbose=3", "--logfile", "/dev/null", Root]),
            "nginx" => StartNginx(),
            "kea" => StartKea(),
            _ => throw new ArgumentException(name),
        };
    }

    private Server StartBrambled(bool dhcp)
    {
        var state = Path.Combine(State, "brambled" + (dhcp ? "-dhcp" : ""));
        if (dhcp && Directory.Exists(state)) Directory.Delete(state, recursive: true);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            cluster: bench
            state: {state}
            api:
              listen: [127.0.0.1:8760]
            networks:
              - name: rack
                interface: {BenchNetwork.Interface}
                address: {Address(Brambled)}/16
                adopt: auto
                tftp: {(dhcp ? "false" : "true")}
                time: false
                boot_tree: {Root}
                dhcp:
                  mode: {(dhcp ? "authoritative" : "off")}

            """);
        if (dhcp) text.AppendLine("      pool: [10.78.16.1-10.78.95.254]");
        text.AppendLine("nodes:");
        for (var i = 0; i < BenchNetwork.MaxClients; i++)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $$"""
                  - {mac: "02:00:00:00:01:{{i:x2}}", name: n{{i}}, address: {{BenchNetwork.ClientAddress(i)}}}
                """);
        }
        var file = Path.Combine(State, "bramble.yaml");
        File.WriteAllText(file, text.ToString());
        return Server.Start(Brambled, network, brambled, ["--config", file]);
    }

    private Server StartDnsmasq(bool dhcp)
    {
        var leases = Path.Combine(State, "dnsmasq.leases");
        File.Delete(leases);
        string[] job = dhcp
            ? ["--dhcp-range=10.78.16.1,10.78.95.254,255.255.0.0,1h", "--dhcp-lease-max=20000", "--no-ping",
                "--dhcp-authoritative", "--quiet-dhcp", $"--dhcp-leasefile={leases}"]
            : ["--enable-tftp", $"--tftp-root={Root}", "--tftp-max=1000", "--quiet-tftp"];
        return Server.Start("dnsmasq", network, "dnsmasq",
            ["--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--user=root", "--no-resolv", "--no-hosts",
                $"--listen-address={Address("dnsmasq")}", "--bind-interfaces",
                $"--pid-file={Path.Combine(State, "dnsmasq.pid")}", .. job]);
    }

    private Server StartNginx()
    {
        var file = Path.Combine(State, "nginx.conf");
        File.WriteAllText(file, $$"""
            daemon off;
            user root;
            worker_processes 1;
            pid {{State}}/nginx.pid;
            error_log stderr error;
            events { worker_connections 4096; }
            http {
              sendfile on;
              tcp_nopush on;
              sendfile_max_chunk 2m;
              access_log off;
              keepalive_requests 100000;
              open_file_cache max=100;
              client_body_temp_path {{State}}/nginx-body;
              proxy_temp_path {{State}}/nginx-proxy;
              fastcgi_temp_path {{State}}/nginx-fastcgi;
              uwsgi_temp_path {{State}}/nginx-uwsgi;
              scgi_temp_path {{State}}/nginx-scgi;
              server { listen {{Address("nginx")}}:80; root {{Root}}; }
            }
            """);
        return Server.Start("nginx", network, "nginx", ["-e", "stderr", "-p", State, "-c", file]);
    }

    private Server StartKea()
    {
        var leases = Path.Combine(State, "kea-leases.csv");
        foreach (var old in Directory.EnumerateFiles(State, "kea-leases.csv*")) File.Delete(old);
        var file = Path.Combine(State, "kea.conf");
        // memfile with persist: each lease is in the file before it is answered (written, not synced).
        File.WriteAllText(file, $$"""
            { "Dhcp4": {
              "interfaces-config": { "interfaces": [ "{{BenchNetwork.Interface}}/{{Address("kea")}}" ],
                "dhcp-socket-type": "udp" },
              "lease-database": { "type": "memfile", "persist": true, "name": "{{leases}}", "lfc-interval": 0 },
              "valid-lifetime": 3600,
              "subnet4": [ { "subnet": "10.78.0.0/16",
                "pools": [ { "pool": "10.78.16.1-10.78.95.254" } ] } ],
              "loggers": [ { "name": "kea-dhcp4", "severity": "ERROR",
                "output_options": [ { "output": "stderr" } ] } ] } }
            """);
        var environment = new Dictionary<string, string>
        {
            ["KEA_PIDFILE_DIR"] = State,
            ["KEA_LOCKFILE_DIR"] = State,
        };
        return Server.Start("kea", network, "kea-dhcp4", ["-c", file], environment);
    }
}
