using Bramble.Wire;
using Bramble.Wire.Snmp;

namespace Bramble.Lab.Switch;

/// <summary>
/// What the virtual switch shows: the system group and interfaces (RFC 3418, RFC 2863), the bridge and its addresses
/// (RFC 4188, RFC 4363), and power over Ethernet (RFC 3621).
/// </summary>
internal static class SwitchMib
{
    private static readonly ObjectId System = ObjectId.Parse("1.3.6.1.2.1.1");
    private static readonly ObjectId IfNumber = ObjectId.Parse("1.3.6.1.2.1.2.1.0");
    private static readonly ObjectId IfEntry = ObjectId.Parse("1.3.6.1.2.1.2.2.1");
    private static readonly ObjectId IfXEntry = ObjectId.Parse("1.3.6.1.2.1.31.1.1.1");
    private static readonly ObjectId Dot1dBase = ObjectId.Parse("1.3.6.1.2.1.17.1");
    private static readonly ObjectId Dot1dTpFdbEntry = ObjectId.Parse("1.3.6.1.2.1.17.4.3.1");
    private static readonly ObjectId Dot1qTpFdbEntry = ObjectId.Parse("1.3.6.1.2.1.17.7.1.2.2.1");
    private static readonly ObjectId PsePortEntry = ObjectId.Parse("1.3.6.1.2.1.105.1.1.1");
    private static readonly ObjectId MainPseEntry = ObjectId.Parse("1.3.6.1.2.1.105.1.3.1.1");

    /// <summary>A learned address is at a port, in a VLAN.</summary>
    public readonly record struct Learned(MacAddress Mac, int Vlan, int Port);

    public static MibTree Build(VirtualSwitch device, IEnumerable<Learned> addresses)
    {
        var options = device.Options;
        var objects = new List<MibObject>();
        void Fixed(ObjectId name, SnmpValue value) => objects.Add(new MibObject(name, () => value));
        void Live(ObjectId name, Func<SnmpValue> read) => objects.Add(new MibObject(name, read));

        Fixed(System.Append(1, 0), SnmpValue.Text("Bramble virtual PoE switch"));
        Fixed(System.Append(2, 0), SnmpValue.From(ObjectId.Parse("1.3.6.1.4.1.8072.3.2.10")));
        Live(System.Append(3, 0), () => SnmpValue.TimeTicks((uint)(device.UpTime.TotalMilliseconds / 10)));
        objects.Add(MibObject.Text(System.Append(4, 0), () => device.Contact, text => device.Contact = text));
        objects.Add(MibObject.Text(System.Append(5, 0), () => device.SystemName, text => device.SystemName = text));
        objects.Add(MibObject.Text(System.Append(6, 0), () => device.Location, text => device.Location = text));
        Fixed(System.Append(7, 0), SnmpValue.Integer(2)); // layer 2

        Fixed(IfNumber, SnmpValue.Integer(options.Ports));
        Fixed(Dot1dBase.Append(1, 0), Address(options.Address));
        Fixed(Dot1dBase.Append(2, 0), SnmpValue.Integer(options.Ports));
        Fixed(Dot1dBase.Append(3, 0), SnmpValue.Integer(2)); // transparent bridge only

        foreach (var port in device.AllPorts)
        {
            var ifIndex = (uint)(port.Number + options.IfIndexOffset);
            var name = $"GigabitEthernet0/{port.Number}";
            Fixed(IfEntry.Append(1, ifIndex), SnmpValue.Integer((int)ifIndex));
            Fixed(IfEntry.Append(2, ifIndex), SnmpValue.Text(name));
            Fixed(IfEntry.Append(3, ifIndex), SnmpValue.Integer(6)); // ethernetCsmacd
            Fixed(IfEntry.Append(4, ifIndex), SnmpValue.Integer(1500));
            Fixed(IfEntry.Append(5, ifIndex), SnmpValue.Gauge32(1_000_000_000));
            Fixed(IfEntry.Append(6, ifIndex), Address(new MacAddress(options.Address.Bits + (ulong)port.Number)));
            Fixed(IfEntry.Append(7, ifIndex), SnmpValue.Integer(1));
            Live(IfEntry.Append(8, ifIndex), () => SnmpValue.Integer(port.HasLink ? 1 : 2));
            Fixed(IfXEntry.Append(1, ifIndex), SnmpValue.Text($"Gi0/{port.Number}"));
            Fixed(IfXEntry.Append(6, ifIndex), SnmpValue.Counter64(0));
            Fixed(IfXEntry.Append(10, ifIndex), SnmpValue.Counter64(0));
            Fixed(Dot1dBase.Append(4, 1, 1, (uint)port.Number), SnmpValue.Integer(port.Number));
            Fixed(Dot1dBase.Append(4, 1, 2, (uint)port.Number), SnmpValue.Integer((int)ifIndex));
            AddPowerPort(device, port, objects);
        }

        var group = (uint)options.PoeGroup;
        Fixed(MainPseEntry.Append(2, group), SnmpValue.Gauge32((uint)options.BudgetWatts));
        Fixed(MainPseEntry.Append(3, group), SnmpValue.Integer(1));
        Live(MainPseEntry.Append(4, group), () => SnmpValue.Gauge32((uint)Math.Ceiling(device.ConsumedWatts)));
        objects.Add(new MibObject(MainPseEntry.Append(5, group), () => SnmpValue.Integer(device.UsageThresholdPercent),
            value => value.Type != SnmpType.Integer32 ? SnmpErrorStatus.WrongType
                : value.Number is >= 1 and <= 99 ? SnmpErrorStatus.NoError : SnmpErrorStatus.WrongValue,
            value => device.UsageThresholdPercent = (int)value.Number));

        foreach (var (mac, vlan, port) in addresses)
        {
            Fixed(Dot1qTpFdbEntry.Append(2, (uint)vlan).Append(mac), SnmpValue.Integer(port));
            Fixed(Dot1qTpFdbEntry.Append(3, (uint)vlan).Append(mac), SnmpValue.Integer(3)); // learned
        }
        if (!options.OnlyQBridge)
            foreach (var (mac, _, port) in addresses.DistinctBy(a => a.Mac))
            {
                Fixed(Dot1dTpFdbEntry.Append(1).Append(mac), Address(mac));
                Fixed(Dot1dTpFdbEntry.Append(2).Append(mac), SnmpValue.Integer(port));
                Fixed(Dot1dTpFdbEntry.Append(3).Append(mac), SnmpValue.Integer(3));
            }
        return new MibTree(objects);
    }

    private static void AddPowerPort(VirtualSwitch device, SwitchPort port, List<MibObject> objects)
    {
        ObjectId Column(uint column) =>
            PsePortEntry.Append(column, (uint)device.Options.PoeGroup, (uint)port.Number);
        objects.Add(MibObject.Choice(Column(3), () => port.IsOn ? 1 : 2, v => device.Command(port, on: v == 1), 1, 2));
        objects.Add(new MibObject(Column(4), () => SnmpValue.Integer(2)));
        objects.Add(MibObject.Choice(Column(5), () => 1, _ => { }, 1)); // the signal pairs, and no others
        objects.Add(new MibObject(Column(6), () => SnmpValue.Integer((int)port.Detection)));
        objects.Add(MibObject.Choice(Column(7), () => port.Priority, v => port.Priority = v, 1, 2, 3));
        objects.Add(new MibObject(Column(8), () => SnmpValue.Counter32(0)));
        objects.Add(MibObject.Text(Column(9), () => port.Label, text => port.Label = text));
        objects.Add(new MibObject(Column(10), () => SnmpValue.Integer(port.Class)));
        objects.Add(new MibObject(Column(11), () => SnmpValue.Counter32(0)));
        objects.Add(new MibObject(Column(12), () => SnmpValue.Counter32(port.Denied)));
        objects.Add(new MibObject(Column(13), () => SnmpValue.Counter32(port.Overloads)));
        objects.Add(new MibObject(Column(14), () => SnmpValue.Counter32(0)));
    }

    private static SnmpValue Address(MacAddress mac)
    {
        Span<byte> octets = stackalloc byte[MacAddress.Size];
        mac.Write(octets);
        return SnmpValue.OctetString(octets);
    }
}
