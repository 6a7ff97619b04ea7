package database

import (
	"encoding/binary"
	"net/netip"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// NetworkProps: a range of private addresses of /16 to /24, and in how many
// zones to be; with no zones named, AWS's first ones are taken.
type NetworkProps struct {
	CIDR              string
	AvailabilityZones []string
	Zones             int
}

// Network is a VPC whose subnets have no route out of it.
type Network struct {
	Vpc       awsec2.IVpc
	VpcID     string
	SubnetIDs []string
}

// NewNetwork makes the VPC with one isolated subnet in each zone.
//
// It is made of plain resources, since the CDK's own Vpc asks AWS for the zones
// of an account as soon as one is named, and a synthesis asks nobody.
func NewNetwork(scope constructs.Construct, id string, p NetworkProps) Network {
	here := constructs.NewConstruct(scope, jsii.String(id))
	vpc := awsec2.NewCfnVPC(here, jsii.String("Vpc"), &awsec2.CfnVPCProps{
		CidrBlock:          jsii.String(p.CIDR),
		EnableDnsHostnames: jsii.Bool(true),
		EnableDnsSupport:   jsii.Bool(true),
	})
	awscdk.Tags_Of(here).Add(jsii.String("Name"), awscdk.Stack_Of(scope).StackName(), nil)
	if len(p.AvailabilityZones) > 0 {
		awscdk.Validations_Of(here).Acknowledge(&awscdk.Acknowledgment{
			Id:     jsii.String("CloudFormation-Validate::W3010"),
			Reason: jsii.String("The configuration names zones, all of the environment's region"),
		})
	}
	n := Network{VpcID: *vpc.Ref()}
	blocks := sixteenths(netip.MustParsePrefix(p.CIDR), p.Zones)
	var azs, tables []string
	for i := range p.Zones {
		zone := zoneAt(p.AvailabilityZones, i)
		subnet := awsec2.NewCfnSubnet(here, jsii.String(nth("Subnet", i)), &awsec2.CfnSubnetProps{
			VpcId:               vpc.Ref(),
			AvailabilityZone:    jsii.String(zone),
			CidrBlock:           jsii.String(blocks[i]),
			MapPublicIpOnLaunch: jsii.Bool(false),
		})
		table := awsec2.NewCfnRouteTable(here, jsii.String(nth("RouteTable", i)), &awsec2.CfnRouteTableProps{VpcId: vpc.Ref()})
		awsec2.NewCfnSubnetRouteTableAssociation(here, jsii.String(nth("Routes", i)), &awsec2.CfnSubnetRouteTableAssociationProps{
			SubnetId:     subnet.Ref(),
			RouteTableId: table.Ref(),
		})
		azs = append(azs, zone)
		n.SubnetIDs = append(n.SubnetIDs, *subnet.Ref())
		tables = append(tables, *table.Ref())
	}
	n.Vpc = awsec2.Vpc_FromVpcAttributes(here, jsii.String("Import"), &awsec2.VpcAttributes{
		VpcId:                       vpc.Ref(),
		VpcCidrBlock:                jsii.String(p.CIDR),
		AvailabilityZones:           jsii.Strings(azs...),
		IsolatedSubnetIds:           jsii.Strings(n.SubnetIDs...),
		IsolatedSubnetRouteTableIds: jsii.Strings(tables...),
	})
	return n
}

func zoneAt(zones []string, i int) string {
	if len(zones) > 0 {
		return zones[i]
	}
	return *awscdk.Fn_Select(jsii.Number(i), awscdk.Fn_GetAzs(nil))
}

// sixteenths are the first n of the sixteen equal parts of p.
func sixteenths(p netip.Prefix, n int) []string {
	var out []string
	first := binary.BigEndian.Uint32(p.Addr().AsSlice())
	bits := p.Bits() + 4
	for i := range n {
		var addr [4]byte
		binary.BigEndian.PutUint32(addr[:], first+uint32(i)<<(32-bits))
		out = append(out, netip.PrefixFrom(netip.AddrFrom4(addr), bits).String())
	}
	return out
}
