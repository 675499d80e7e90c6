using System.Data;
using System.Diagnostics.CodeAnalysis;
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
        await database.WriteAsync(connection => Write(connection, batch), cancellation).ConfigureAwait(false);

    private static void Write(IDbConnection connection, IReadOnlyList<Lease> batch)
    {
        // Made once for a batch, which has up to a thousand: to parse the statements takes longer than to carry them
        // out.
        using var moved = new LeaseCommand(connection,
            "DELETE FROM leases WHERE network = @network AND mac = @mac AND address <> @address");
        using var kept = new LeaseCommand(connection,
            """
            INSERT INTO leases (network, address, mac, record) VALUES (@network, @address, @mac, @record)
            ON CONFLICT (network, address) DO UPDATE SET mac = excluded.mac, record = excluded.record
            """, withRecord: true);
        foreach (var lease in batch)
        {
            // A declined address is nobody's: what its client gets next must not take the place of its record.
            var isDeclined = lease.State == LeaseState.Declined;
            if (!isDeclined) moved.Execute(lease, lease.Mac.ToString());
            kept.Execute(lease, isDeclined ? "" : lease.Mac.ToString());
        }
    }

    /// <summary>A statement with the columns of a lease as parameters.</summary>
    private sealed class LeaseCommand : IDisposable
    {
        private readonly IDbCommand _command;
        private readonly IDbDataParameter _network;
        private readonly IDbDataParameter _address;
        private readonly IDbDataParameter _mac;
        private readonly IDbDataParameter? _record;

        public LeaseCommand(IDbConnection connection, [StringSyntax("SQL")] string sql, bool withRecord = false)
        {
            _command = connection.CreateCommand();
            _command.CommandText = sql;
            _network = Add("@network");
            _address = Add("@address");
            _mac = Add("@mac");
            _record = withRecord ? Add("@record") : null;
        }

        public void Execute(Lease lease, string mac)
        {
            _network.Value = lease.Network;
            _address.Value = lease.Address.ToString();
            _mac.Value = mac;
            if (_record is not null) _record.Value = JsonSerializer.Serialize(lease, LeaseJson.Default.Lease);
            _command.ExecuteNonQuery();
        }

        public void Dispose() => _command.Dispose();

        private IDbDataParameter Add(string name)
        {
            var parameter = _command.CreateParameter();
            parameter.ParameterName = name;
            _command.Parameters.Add(parameter);
            return parameter;
        }
    }
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
