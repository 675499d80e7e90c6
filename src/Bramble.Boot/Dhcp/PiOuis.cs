using System.Collections.Frozen;
using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// Ethernet prefixes of Raspberry Pi boards, as data: add a line when the maker gets a new one. They only decide where
/// option 97 does not, since a prefix outlives a model. The family is what most boards with the prefix are.
/// </summary>
public static class PiOuis
{
    private static readonly FrozenDictionary<uint, BoardFamily> Table = new Dictionary<uint, BoardFamily>
    {
        [0xb827eb] = BoardFamily.Pi3B,
        [0xdca632] = BoardFamily.Pi4,
        [0xe45f01] = BoardFamily.Pi4,
        [0xd83add] = BoardFamily.PiOther,
        [0x28cdc1] = BoardFamily.PiOther,
        [0x2ccf67] = BoardFamily.PiOther,
        [0x88a29e] = BoardFamily.PiOther,
    }.ToFrozenDictionary();

    public static bool TryFind(MacAddress mac, out BoardFamily family) => Table.TryGetValue(mac.Oui, out family);
}
