namespace Bramble.Cli.Tests.Output;

/// <summary>What people see, to the letter.</summary>
public sealed class TableTests
{
    [Fact]
    public async Task Nodes_are_listed_by_number_with_their_progress_or_verdict()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/nodes", Samples.Nodes);
        var ran = await CliRun.RunAsync(manager, "node", "ls");
        Assert.Equal(new Ran(0, """
            NUM  NAME      PHASE       SINCE  ADDRESS    MODEL  MEM   IMAGE               PROGRESS/VERDICT
            3    shelf-3   running     3m     10.0.0.13  Pi 4B  4 GB  debian12            reported 4 s ago
            4    shelf-4   installing  30s    10.0.0.14  Pi 3B  1 GB  (none) → debian12   writing 59% of 2 GiB
            11   shelf-11  failed      30h                            debian12 → raspios  start4.elf is missing

            """, ""), ran);
    }

    [Fact]
    public async Task The_wide_list_adds_hardware_and_power()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/nodes", $"[{Samples.Running}]");
        var ran = await CliRun.RunAsync(manager, "node", "ls", "-o", "wide");
        Assert.Equal("""
            IMAGE     MAC                SERIAL            NETWORK  POWER      PROGRESS/VERDICT
            debian12  b8:27:eb:12:34:56  10000000a1b2c3d4  lab      on poe1:7  reported 4 s ago

            """, string.Join('\n', ran.Out.Split('\n').Select(line => line.Length > 54 ? line[54..] : line)));
    }

    [Fact]
    public async Task A_node_is_shown_whole()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/nodes/shelf-3", Samples.Running);
        var ran = await CliRun.RunAsync(manager, "node", "show", "shelf-3");
        Assert.Equal("""
            Name             shelf-3
            Number           3
            Phase            running for 3m
            Verdict          reported 4 s ago
            Board            Raspberry Pi Pi 4B
            Memory           4 GB
            Architecture     arm64
            MAC              b8:27:eb:12:34:56
            Serial           10000000a1b2c3d4
            Network          lab
            Address          10.0.0.13
            Goal             run
            Image wanted     debian12
            Image installed  debian12 on /dev/mmcblk0, 2026-05-01 10:00:00Z
            Image digest     ab12
            Disk rule        /dev/mmcblk0
            Disk             /dev/mmcblk0 29.7 GiB sd 0x1
            Power            on poe1:7
            Labels           on=yes rack=a

            """, ran.Out);
    }

    [Fact]
    public async Task A_timeline_tells_each_step_at_its_time_and_the_verdict_last()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/nodes/3/timeline", """
            {"nodeId":12,"name":"shelf-3","boots":[
             {"id":5,"startedAt":"2026-05-01T11:00:00Z","lastAt":"2026-05-01T11:00:09.5Z","outcome":"stopped",
              "verdict":"asked for start4.elf, which this image lacks","steps":[
              {"at":"2026-05-01T11:00:00Z","stage":"dhcp","what":"DISCOVER","outcome":"ok",
               "detail":"offered 10.0.0.13","count":2},
              {"at":"2026-05-01T11:00:01.234Z","stage":"tftp","what":"pieeprom.sig","outcome":"probe",
               "detail":"","count":1},
              {"at":"2026-05-01T11:00:09.5Z","stage":"tftp","what":"start4.elf","outcome":"failed",
               "detail":"not found","count":1}]}]}
            """);
        var ran = await CliRun.RunAsync(manager, "timeline", "3", "--boots", "1");
        Assert.Equal("""
            shelf-3: boot of 2026-05-01 11:00:00Z, stopped after 9.500 s
            TIME      STAGE     WHAT          COUNT  DETAIL
            +0.000 s  dhcp   ✓  DISCOVER      2×     offered 10.0.0.13
            +1.234 s  tftp   ?  pieeprom.sig
            +9.500 s  tftp   ✗  start4.elf           not found
            → asked for start4.elf, which this image lacks

            """, ran.Out);
        Assert.Equal("/api/v1/nodes/3/timeline?boots=1", Assert.Single(manager.Asked).Path);
    }

    [Fact]
    public async Task Power_is_shown_as_the_hardware_has_it()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/power", """
            [{"nodeId":12,"name":"shelf-3","device":"poe1","port":"7","state":"on","wanted":"on","watts":3.14,
              "detail":""},
             {"nodeId":13,"name":"shelf-4","device":"","port":"","state":"none","wanted":"on",
              "detail":"no power device"}]
            """);
        var ran = await CliRun.RunAsync(manager, "power", "status");
        Assert.Equal("""
            NAME     POWER  WANTED  WATTS  DEVICE  PORT  DETAIL
            shelf-3  on     on      3.1    poe1    7
            shelf-4  none   on                           no power device

            """, ran.Out);
    }

    [Fact]
    public async Task Images_leases_tokens_and_the_manager_have_their_tables()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager
            .On("GET", "/api/v1/images", """
                [{"name":"debian12","digest":"ab","sizeBytes":2147483648,"architecture":"arm64","osName":"Debian 12",
                  "addedAt":"2026-04-28T12:00:00Z","usedBy":["shelf-3","shelf-4"]}]
                """)
            .On("GET", "/api/v1/leases", """
                [{"network":"lab","address":"10.0.0.13","mac":"b8:27:eb:12:34:56","state":"bound","hostName":"pi",
                  "expiresAt":"2026-05-01T12:45:00Z","nodeName":"shelf-3"}]
                """)
            .On("GET", "/api/v1/tokens", """
                [{"id":"t1","name":"ci","role":"operator","createdAt":"2026-04-01T12:00:00Z",
                  "lastUsedAt":"2026-05-01T11:59:00Z"}]
                """)
            .On("GET", "/api/v1/manager", Samples.Manager);
        Assert.Equal("""
            NAME      ARCH   SIZE   OS         AGE  USED BY
            debian12  arm64  2 GiB  Debian 12  3d   2 nodes

            """, (await CliRun.RunAsync(manager, "image", "ls")).Out);
        Assert.Equal("""
            ADDRESS    MAC                STATE  EXPIRES  NETWORK  NODE     HOST NAME
            10.0.0.13  b8:27:eb:12:34:56  bound  in 45m   lab      shelf-3  pi

            """, (await CliRun.RunAsync(manager, "lease", "ls")).Out);
        Assert.Equal("""
            ID  NAME  ROLE      AGE  LAST USED  EXPIRES
            t1  ci    operator  30d  60s ago    never

            """, (await CliRun.RunAsync(manager, "token", "ls")).Out);
        Assert.Equal($"""
            Cluster    home
            Manager    brambled 0.1.0 at {manager.Address}
            Up         3h, since 2026-05-01 09:00:00Z
            Nodes      8
              running  7
              failed   1

            NETWORK  INTERFACE  ADDRESS      DHCP           ADOPT  BOOT URL
            lab      eth1       10.0.0.1/24  authoritative  ask    http://10.0.0.1:8080

            """, (await CliRun.RunAsync(manager, "status")).Out);
    }

    [Fact]
    public async Task A_host_name_cannot_send_escape_sequences_to_the_terminal()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/leases", """
            [{"network":"lab","address":"10.0.0.13","mac":"b8:27:eb:12:34:56","state":"bound",
              "hostName":"\u001b]0;owned\u0007\u202e[red]\u009b","expiresAt":"2026-05-01T12:45:00Z"}]
            """);
        foreach (var form in new[] { "table", "yaml", "json" })
        {
            var ran = await new CliRun(manager) { OnTerminal = true }
                .RunAsync(["lease", "ls", "-o", form, "--no-color"]);
            Assert.Equal(0, ran.Code);
            Assert.DoesNotContain(ran.Out, c => (char.IsControl(c) && c != '\n') || c == '\u202e');
            Assert.Contains("[red]", ran.Out, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(true, "", "", true)]
    [InlineData(true, "NO_COLOR", "1", false)]
    [InlineData(true, "NO_COLOR", "", true)]
    [InlineData(true, "TERM", "dumb", false)]
    [InlineData(false, "", "", false)]
    public async Task Colours_are_for_terminals_that_did_not_say_no(
        bool terminal, string variable, string value, bool colours)
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/nodes", Samples.Nodes);
        var run = new CliRun(manager) { OnTerminal = terminal, Width = 200 };
        if (variable.Length > 0) run.Environment[variable] = value;
        Assert.Equal(colours, (await run.RunAsync(["node", "ls"])).Out.Contains("\e[", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_narrow_terminal_breaks_only_the_last_column()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/nodes", Samples.Nodes);
        var ran = await new CliRun(manager) { OnTerminal = true, Width = 110 }.RunAsync(["node", "ls", "--no-color"]);
        Assert.All(ran.Out.Split('\n'), line => Assert.True(line.Length <= 110, line));
        Assert.Contains("debian12 → raspios", ran.Out, StringComparison.Ordinal);
    }
}
