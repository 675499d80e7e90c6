using Bramble.Lab.Switch;
using Bramble.Testing;
using Bramble.Wire;
using Bramble.Wire.Snmp;

namespace Bramble.Lab.Tests.Switch;

/// <summary>The virtual switch under net-snmp's own tools.</summary>
public sealed class VirtualSwitchTests : IAsyncLifetime
{
    private const string AdminEnable = ".1.3.6.1.2.1.105.1.1.1.3.1";
    private const string Detection = ".1.3.6.1.2.1.105.1.1.1.6.1";
    private static readonly MacAddress Board = MacAddress.Parse("b8:27:eb:01:02:03");

    private readonly NetSnmp _tools = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly VirtualSwitch _switch = new(new VirtualSwitchOptions
    {
        Name = "sw1",
        Users =
        [
            new UsmUser("operator", UsmAuthentication.Sha1, "first password", UsmPrivacy.Aes128, "second password"),
            new UsmUser("old", UsmAuthentication.Md5, "first password", UsmPrivacy.Des, "second password"),
            new UsmUser("new", UsmAuthentication.Sha512, "first password", UsmPrivacy.Aes128, "second password"),
        ],
    });

    private Task _running = Task.CompletedTask;

    public static TheoryData<string, string> Askers() => new()
    {
        { "1", "-v1 -c public" },
        { "2c", "-v2c -c public" },
        { "3", "-v3 -u operator -l authNoPriv -a SHA -A first_password" },
        { "3", "-v3 -u operator -l authPriv -a SHA -A first_password -x AES -X second_password" },
        { "3", "-v3 -u old -l authPriv -a MD5 -A first_password -x DES -X second_password" },
        { "3", "-v3 -u new -l authPriv -a SHA-512 -A first_password -x AES -X second_password" },
    };

    public ValueTask InitializeAsync()
    {
        _running = _switch.RunAsync(_stop.Token);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _switch.Dispose();
        _stop.Dispose();
        _tools.Dispose();
    }

    [Theory]
    [MemberData(nameof(Askers))]
    public async Task It_answers_each_version_and_level(string version, string asker)
    {
        _switch.Attach(7);
        var (exit, output, errors) = await Tool("snmpget", asker, ".1.3.6.1.2.1.1.5.0", $"{Detection}.7");
        Assert.True(exit == 0, $"version {version}: {errors}");
        Assert.Equal($".1.3.6.1.2.1.1.5.0 = \"sw1\"\n{Detection}.7 = 3\n", output);
    }

    [Fact]
    public async Task A_walk_meets_every_object_once_and_in_order_by_GETNEXT_and_by_GETBULK()
    {
        _switch.Learn(Board, 7);
        var byNext = await Walk("snmpwalk", "-v2c -c public");
        var byBulk = await Walk("snmpbulkwalk", "-v2c -c public");
        var byUser = await Walk("snmpbulkwalk",
            "-v3 -u operator -l authPriv -a SHA -A first_password -x AES -X second_password");
        Assert.Equal(byNext, byBulk);
        Assert.Equal(byNext, byUser);
        var names = byNext.Select(l => ObjectId.Parse(l.Split(' ')[0])).ToArray();
        Assert.Equal(names.Distinct().Order(), names);
        Assert.Equal(48 * 25 + 7 + 1 + 3 + 4 + 5 - 1, names.Length);

        // Version 1 knows no Counter64 and must step over its 96.
        var byVersion1 = await Walk("snmpwalk", "-v1 -c public");
        Assert.Equal(names.Length - 96, byVersion1.Length);
    }

    [Fact]
    public async Task A_GETBULK_keeps_non_repeaters_and_repeaters_apart()
    {
        var (_, output, _) = await Tool(
            "snmpbulkget", "-v2c -c public -Cn1 -Cr2", ".1.3.6.1.2.1.1.4", AdminEnable, Detection);
        Assert.Equal($"""
            .1.3.6.1.2.1.1.4.0 = ""
            {AdminEnable}.1 = 1
            {Detection}.1 = 2
            {AdminEnable}.2 = 1
            {Detection}.2 = 2

            """, output);
    }

    [Theory]
    [InlineData("-v1 -c private")]
    [InlineData("-v2c -c private")]
    [InlineData("-v3 -u operator -l authPriv -a SHA -A first_password -x AES -X second_password")]
    public async Task A_SET_turns_a_port_off_and_the_rack_is_told(string asker)
    {
        var told = new List<(int, bool)>();
        _switch.PortChanged += (port, on) => told.Add((port, on));
        _switch.Attach(7);
        Assert.True(_switch.IsPowered(7));
        Assert.Equal(0, (await Tool("snmpset", asker, $"{AdminEnable}.7", "i", "2")).ExitCode);
        Assert.False(_switch.IsPowered(7));
        Assert.Equal($"{AdminEnable}.7 = 2\n{Detection}.7 = 1\n",
            (await Tool("snmpget", asker, $"{AdminEnable}.7", $"{Detection}.7")).Output);
        Assert.Equal(0, (await Tool("snmpset", asker, $"{AdminEnable}.7", "i", "1")).ExitCode);
        Assert.True(_switch.IsPowered(7));
        Assert.Equal([(7, false), (7, true)], told);
    }

    [Theory]
    [InlineData("-v2c -c public", $"{AdminEnable}.7 i 2", "noAccess")]
    [InlineData("-v2c -c private", $"{AdminEnable}.7 i 3", "wrongValue")]
    [InlineData("-v2c -c private", $"{AdminEnable}.7 s off", "wrongType")]
    [InlineData("-v2c -c private", $"{Detection}.7 i 3", "notWritable")]
    [InlineData("-v2c -c private", $"{AdminEnable}.49 i 2", "noCreation")]
    [InlineData("-v2c -c private", ".1.3.6.1.4.1.1.0 i 2", "notWritable")]
    [InlineData("-v1 -c public", $"{AdminEnable}.7 i 2", "noSuchName")]
    [InlineData("-v1 -c private", $"{AdminEnable}.7 i 3", "badValue")]
    [InlineData("-v3 -u operator -l noAuthNoPriv", $"{AdminEnable}.7 i 2", "authorizationError")]
    [InlineData("-v2c -c private", $"{AdminEnable}.7 i 2 {AdminEnable}.8 i 3", "wrongValue")]
    public async Task A_SET_that_must_not_be_is_refused_and_nothing_changes(string asker, string set, string reason)
    {
        var (exit, _, errors) = await Tool("snmpset", asker, set.Split(' '));
        Assert.NotEqual(0, exit);
        Assert.Contains(reason, errors, StringComparison.Ordinal);
        Assert.True(_switch.IsOn(7));
        Assert.True(_switch.IsOn(8));
    }

    [Theory]
    [InlineData("-v2c -c guess -t0.25 -r0", "Timeout")]
    [InlineData("-v3 -u nobody -l authNoPriv -a SHA -A first_password", "Unknown user name")]
    [InlineData("-v3 -u operator -l authNoPriv -a SHA -A wrong_password", "Authentication failure")]
    [InlineData("-v3 -u operator -l authPriv -a SHA -A first_password -x AES -X wrong_password", "Decryption error")]
    public async Task Who_is_not_known_learns_nothing(string asker, string complaint)
    {
        var (exit, output, errors) = await Tool("snmpget", asker, ".1.3.6.1.2.1.1.5.0");
        Assert.NotEqual(0, exit);
        Assert.Empty(output);
        Assert.Contains(complaint, errors, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task What_is_missing_is_told_apart()
    {
        var (_, output, _) = await Tool("snmpget", "-v2c -c public", $"{AdminEnable}.49", ".1.3.6.1.4.1.1.0");
        Assert.Contains($"{AdminEnable}.49 = No Such Instance", output, StringComparison.Ordinal);
        Assert.Contains(".1.3.6.1.4.1.1.0 = No Such Object", output, StringComparison.Ordinal);
        var (exit, _, errors) = await Tool("snmpget", "-v1 -c public", $"{AdminEnable}.49");
        Assert.Equal(2, exit);
        Assert.Contains("noSuchName", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_learned_address_is_in_both_tables_by_VLAN_and_goes_with_the_power()
    {
        _switch.Learn(Board, 7, vlan: 3);
        const string mac = "184.39.235.1.2.3";
        Assert.Equal($".1.3.6.1.2.1.17.4.3.1.2.{mac} = 7\n",
            (await Tool("snmpget", "-v2c -c public@3", $".1.3.6.1.2.1.17.4.3.1.2.{mac}")).Output);
        Assert.Equal($".1.3.6.1.2.1.17.7.1.2.2.1.2.3.{mac} = 7\n",
            (await Tool("snmpget", "-v2c -c public", $".1.3.6.1.2.1.17.7.1.2.2.1.2.3.{mac}")).Output);
        Assert.Contains("No Such", (await Tool("snmpget", "-v2c -c public@4", $".1.3.6.1.2.1.17.4.3.1.2.{mac}")).Output,
            StringComparison.Ordinal);
        _switch.SetPort(7, on: false);
        Assert.Contains("No Such", (await Tool("snmpget", "-v2c -c public@3", $".1.3.6.1.2.1.17.4.3.1.2.{mac}")).Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Faults_come_on_demand()
    {
        _switch.StuckPorts = [7];
        _switch.Attach(8);
        _switch.SetFault(8, fault: true);
        _switch.DropRequests = 1;
        Assert.Equal(0, (await Tool("snmpset", "-v2c -c private -t0.5 -r3", $"{AdminEnable}.7", "i", "2")).ExitCode);
        Assert.Equal(0, _switch.DropRequests);
        Assert.True(_switch.IsOn(7));
        Assert.Equal($"{Detection}.8 = 4\n", (await Tool("snmpget", "-v2c -c public", $"{Detection}.8")).Output);
        _switch.AnswerDelay = TimeSpan.FromMilliseconds(300);
        Assert.Contains("Timeout", (await Tool("snmpget", "-v2c -c public -t0.1 -r0", $"{Detection}.8")).Errors,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_power_supply_gives_what_it_has_and_denies_the_rest()
    {
        using var small = new VirtualSwitch(new VirtualSwitchOptions { Ports = 4, BudgetWatts = 12 });
        for (var port = 1; port <= 3; port++) small.Attach(port, 5);
        Assert.Equal([true, true, false, false], Enumerable.Range(1, 4).Select(small.IsPowered));
        Assert.Equal(10, small.ConsumedWatts);
        small.SetPort(1, on: false);
        Assert.True(small.IsPowered(3));
        Assert.Throws<ArgumentOutOfRangeException>(() => small.Attach(5));
    }

    [Fact]
    public void No_mutation_of_a_request_makes_the_agent_throw()
    {
        const int seed = 3622;
        TestContext.Current.SendDiagnosticMessage($"seed {seed}");
        var random = new Random(seed);
        var options = _switch.Options;
        var agent = new SnmpAgent(options, _ => SwitchMib.Build(_switch, []), TimeProvider.System);
        var keys = options.Users[0].Localize(options.EngineId.Span);
        for (var round = 0; round < 300; round++)
        {
            var pdu = new SnmpPdu((PduType)random.Next(9), random.Next(),
            [
                new VarBind(ObjectId.Parse(AdminEnable[1..])),
                new VarBind(ObjectId.Parse(Detection[1..] + ".3"), SnmpValue.Integer(random.Next(4))),
            ])
            {
                NonRepeaters = random.Next(-1, 4),
                MaxRepetitions = random.Next(2) == 0 ? random.Next(10) : int.MaxValue,
            };
            var bytes = round % 2 == 0
                ? new SnmpMessage((SnmpVersion)random.Next(2), "private"u8.ToArray(), pdu).ToBytes()
                : Usm.Protect(new SnmpV3Message
                {
                    MessageId = round,
                    Flags = (SnmpV3Flags)7,
                    Security = new UsmParameters
                    {
                        EngineId = options.EngineId,
                        EngineBoots = 1,
                        UserName = "operator"u8.ToArray(),
                    },
                    Scoped = new ScopedPdu(options.EngineId, default, pdu),
                }, keys, (ulong)round);
            Assert.InRange(agent.Respond(bytes)?.Length ?? 0, 0, 1472);
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            agent.Respond(bytes);
        }
    }

    private async Task<string[]> Walk(string tool, string asker)
    {
        var (exit, output, errors) = await Tool(tool, asker, ".1");
        Assert.True(exit == 0, errors);
        // The clock of the agent runs on between two walks; version 1 and 2c say differently that the end is reached.
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(l => l.StartsWith(".1", StringComparison.Ordinal)
                && !l.StartsWith(".1.3.6.1.2.1.1.3.0", StringComparison.Ordinal)
                && !l.Contains("No more variables", StringComparison.Ordinal))];
    }

    private Task<(int ExitCode, string Output, string Errors)> Tool(
        string tool, string asker, params string[] arguments)
    {
        if (NetSnmp.ToolsMissing is { } why) Assert.Skip(why);
        string[] options = asker.Contains(" -t", StringComparison.Ordinal) ? [] : ["-t5", "-r1"];
        return _tools.RunAsync(tool, [.. asker.Split(' ').Select(a => a.Replace('_', ' ')), .. options,
            _switch.EndPoint.ToString(), .. arguments]);
    }
}
