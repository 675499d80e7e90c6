using System.Text.Json;
using System.Text.Json.Serialization;
using Bramble.Boot.Dhcp;
using Bramble.Manager.Nodes;
using Bramble.Manager.Store;
using Bramble.Wire;
using Dapper;

namespace Bramble.Manager.Leases;

/// <summary>Leases in the store. A batch is one write, and so shares its sync with whatever else waits.</summary>
public sealed class SqlLeaseStore(Database database) : ILeaseStore
{
    public IReadOnlyList<Lease> Load() => [.. database
        .Read(c => c.Query<string>("SELECT record FROM leases"))
        .Select(record => JsonSerializer.Deserialize(record, LeaseJson.Default.Lease)!)];

    public async ValueTask CommitAsync(IReadOnlyList<Lease> batch, CancellationToken cancellation) =>
        await database.WriteAsync(connection =>
        {
            foreach (var lease in batch)
            {
                var row = new
                {
                    network = lease.Network,
                    address = lease.Address.ToString(),
                    // A declined address is nobody's: what its client gets next must not take the place of its record.
                    mac = lease.State == LeaseState.Declined ? "" : lease.Mac.ToString(),
                    record = JsonSerializer.Serialize(lease, LeaseJson.Default.Lease),
                };
                if (lease.State != LeaseState.Declined) connection.Execute(
                    "DELETE FROM leases WHERE network = @network AND mac = @mac AND address <> @address", row);
                connection.Execute(
                    """
                    INSERT INTO leases (network, address, mac, record) VALUES (@network, @address, @mac, @record)
                    ON CONFLICT (network, address) DO UPDATE SET mac = excluded.mac, record = excluded.record
                    """, row);
            }
        }, cancellation).ConfigureAwait(false);
}

[JsonSourceGenerationOptions(Converters = [typeof(IPv4AddressJson), typeof(MacAddressJson)])]
[JsonSerializable(typeof(Lease))]
internal sealed partial class LeaseJson : JsonSerializerContext;

internal sealed class MacAddressJson : JsonConverter<MacAddress>
{
    public override MacAddress Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        MacAddress.Parse(reader.GetString() ?? "");

    public override void Write(Utf8JsonWriter writer, MacAddress value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
