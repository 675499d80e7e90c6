using System.Globalization;
using Bramble.Cli.Import.Toml;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Import;

/// <summary>
/// Grape's <c>config.toml</c>: <c>[cluster.stacks.N.devices.M] mac = "…"</c>. The nodes keep the names that its second
/// daemon gave them: <c>worker-N-M</c>.
/// </summary>
internal static class GrapeConfig
{
    private static readonly Dictionary<string, string> s_advice = new(StringComparer.Ordinal)
    {
        ["cluster.ssh_username"] = "install.ssh_authorized_keys: nodes are reached with keys",
        ["cluster.ssh_password"] = "install.ssh_authorized_keys: nodes are reached with keys",
        ["rest_server.port"] = "api.listen",
        ["netboot.active"] = "each network boots its nodes: networks[].tftp, networks[].dhcp",
        ["netboot.boot_dir"] = "boot files are rendered for each node; nothing to set",
        ["netboot.netboot_ip"] = "networks[].address",
        ["netboot.base_boot_dir"] = "networks[].boot_tree for a plain directory; better an image: bramble image add",
        ["netboot.nfs_dir"] = "nodes are installed onto their own disks: bramble image add, bramble install",
        ["netboot.base_nfs_dir"] = "the root as an image: tar it, then bramble image add FILE",
    };

    public static ImportReading Read(string path)
    {
        var reading = new ImportReading(path);
        if (!TomlReader.TryRead(ImportReading.Text(path), out var root, out var error))
            throw new CliException(ExitCode.Failed, $"{path}:{error.Line}:{error.Column}: {error.Message}");
        LeaveOthers(path, reading, "", root);
        if (root.Find("cluster") is not TomlTable cluster || cluster.Find("stacks") is not { } stacks)
            throw new CliException(ExitCode.Failed,
                $"{path} holds no [cluster.stacks.N]: it is no configuration of Grape");
        foreach (var (stack, value) in Members(reading, stacks, "cluster.stacks"))
        {
            if (value is TomlTable table && table.Find("devices") is { } devices)
            {
                foreach (var (slot, device) in Members(reading, devices, $"cluster.stacks.{stack}.devices"))
                    Device(reading, stack, slot, device);
            }
        }
        return reading;
    }

    private static void Device(ImportReading reading, string stack, string slot, TomlValue device)
    {
        var where = $"cluster.stacks.{stack}.devices.{slot}";
        // A backplane has eight addresses on each of two buses, and six slots.
        if (!IsNumber(stack, 15) || !IsNumber(slot, 5))
            reading.Bad(device.Line, $"[{where}] must name a stack from 0 to 15 and a slot from 0 to 5");
        else if (device is not TomlTable table || table.Find("mac") is not { } mac)
            reading.Skip(device.Line, $"[{where}] has no mac");
        else if (mac is not TomlText text)
            reading.Bad(mac.Line, $"{where}.mac is not a text in quotes");
        else
            reading.Node(new NodeImportEntry(mac.Line, text.Value, $"worker-{stack}-{slot}",
                Labels: new Dictionary<string, string> { ["stack"] = stack, ["slot"] = slot }));
    }

    private static IEnumerable<KeyValuePair<string, TomlValue>> Members(
        ImportReading reading, TomlValue value, string where)
    {
        if (value is TomlTable table) return table.Members;
        reading.Bad(value.Line, $"'{where}' is not a table");
        return [];
    }

    private static void LeaveOthers(string path, ImportReading reading, string prefix, TomlTable table)
    {
        foreach (var (key, value) in table.Members)
        {
            var name = prefix.Length == 0 ? key : $"{prefix}.{key}";
            if (name == "cluster.stacks") continue;
            if (value is TomlTable inner) LeaveOthers(path, reading, name, inner);
            else reading.Leave(path, value.Line, name, s_advice.GetValueOrDefault(name, "not known here"));
        }
    }

    private static bool IsNumber(string text, int last) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= last
        && text == number.ToString(CultureInfo.InvariantCulture);
}
